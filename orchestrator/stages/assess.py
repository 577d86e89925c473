"""The stage `assess`: the words → levels with evidence, by the assessor.

Its request is built from the transcript alone: nothing that was seen or heard can reach it.
"""

from __future__ import annotations

from typing import Any

from interview.v1 import assessor_pb2, assessor_pb2_grpc, orchestrator_pb2, transcriber_pb2
from orchestrator.languages import base_language
from orchestrator.settings import Preferences
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import CAPABILITIES_TIMEOUT_S, Limits, ask
from orchestrator.stages.replies import OK_OUTCOMES, check_present, reply_invalid
from orchestrator.stages.stage import Call, Defaults, OnProgress, Service, Stage, Task, Upstream
from orchestrator.workflow import ASSESS, TRANSCRIBE

MIN_LEVEL, MAX_LEVEL, MAX_SCORE = 1.0, 5.0, 100.0
RUBRICS = "rubrics"
"""Name of the second service of this stage. It lists what can be judged by."""


class Assess(Stage):
    """See `Stage`."""

    name = ASSESS
    output_class = assessor_pb2.Assessment
    weight = 0.15
    defaults = Defaults(timeout_s=900.0, timeout_factor=1.0, service="assessor", port=50053)
    stub_class = assessor_pb2_grpc.AssessorServiceStub
    capabilities_request_class = assessor_pb2.AssessorServiceGetCapabilitiesRequest

    def connect(self, limits: Limits) -> Service:
        """See `Stage`."""

        async def assess(request: assessor_pb2.AssessRequest, _: OnProgress) -> object:
            return (await ask(self._stub().Assess, request, timeout_s=limits.timeout_s)).assessment

        return assess

    async def call(self, task: Task, upstream: Upstream) -> Call:
        """See `Stage`."""
        transcript = await upstream.output(TRANSCRIBE, transcriber_pb2.Transcript)
        request = assess_request(task.answer, task.session, transcript, self.parts.settings.preferences)
        input_hash = fingerprint(self.name, request.SerializeToString(deterministic=True))
        service = self.within(transcript.duration_s)
        return Call(input_hash, lambda on_progress: service(request, on_progress), transcript.duration_s)

    def check(self, output: assessor_pb2.Assessment, recording_s: float) -> None:
        """See `Stage`."""
        super().check(output, recording_s)
        for criterion in output.criteria:
            if criterion.outcome in OK_OUTCOMES:
                check_present(criterion.HasField("level"), "level for a criterion")
            if criterion.HasField("level") and not MIN_LEVEL <= criterion.level <= MAX_LEVEL:
                raise reply_invalid("a level is not from 1 to 5")
            if not 0 <= criterion.score <= MAX_SCORE:
                raise reply_invalid("a score is not from 0 to 100")
        if not 0 <= output.total_score <= MAX_SCORE:
            raise reply_invalid("the total score is not from 0 to 100")
        if output.outcome in OK_OUTCOMES:
            check_present(output.criteria, "criteria")

    def model(self, output: Any) -> Any:
        """See `Stage`."""
        return output.provenance.model

    async def rubric_ids(self) -> tuple[str, ...]:
        """Return the rubrics that can be judged by.

        Raises:
            InterviewError: The assessor can't be asked.
        """
        if (stand_in := self.parts.services.get(RUBRICS)) is not None:
            return tuple(await stand_in(None, lambda _: None))
        request = assessor_pb2.AssessorServiceGetCapabilitiesRequest()
        reply = await ask(self._stub().GetCapabilities, request, timeout_s=CAPABILITIES_TIMEOUT_S)
        return tuple(reply.rubric_ids)

    def _stub(self) -> assessor_pb2_grpc.AssessorServiceStub:
        return assessor_pb2_grpc.AssessorServiceStub(self.channel())


def assess_request(
    answer: orchestrator_pb2.AnswerInput,
    session: orchestrator_pb2.CreateSessionRequest,
    transcript: transcriber_pb2.Transcript,
    preferences: Preferences,
) -> assessor_pb2.AssessRequest:
    """Ask for a judgement on the words. Flagged segments are left out of scoring."""
    segments = [
        assessor_pb2.AnswerSegment(
            text=segment.text, words=segment.words, start_s=segment.start_s, end_s=segment.end_s
        )
        for segment in transcript.segments
        if segment.text and not segment.flags
    ]
    return assessor_pb2.AssessRequest(
        question=answer.question,
        segments=segments,
        language_code=base_language(transcript.language_code or session.language_code),
        reader_language_code=preferences.reader_language,
        rubric_id=answer.rubric_id or session.rubric_id,
        seed=preferences.seed,
    )
