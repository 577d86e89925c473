"""The stage `assess`: the words → levels with evidence, by the assessor.

Its request is built from the transcript alone: nothing that was seen or heard can reach it.
"""

from __future__ import annotations

from typing import Any

from interview.v1 import assessor_pb2, assessor_pb2_grpc, orchestrator_pb2, transcriber_pb2
from orchestrator.languages import base_language
from orchestrator.settings import Preferences
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import CAPABILITIES_TIMEOUT_S, ask
from orchestrator.stages.stage import Call, Defaults, OnProgress, Service, Stage, Task, Upstream
from orchestrator.workflow import ASSESS, TRANSCRIBE

RUBRICS = "rubrics"
"""Name of the second service of this stage. It lists what can be judged by."""


class Assess(Stage):
    """See `Stage`."""

    name = ASSESS
    output_class = assessor_pb2.Assessment
    weight = 0.15
    defaults = Defaults(timeout_s=900.0, service="assessor", port=50053)

    def connect(self) -> Service:
        """See `Stage`."""
        timeout_s = self.timeout_s

        async def assess(request: assessor_pb2.AssessRequest, _: OnProgress) -> object:
            return (await ask(self._stub().Assess, request, timeout_s=timeout_s)).assessment

        return assess

    async def call(self, task: Task, upstream: Upstream) -> Call:
        """See `Stage`."""
        transcript = await upstream.output(TRANSCRIBE, transcriber_pb2.Transcript)
        request = assess_request(task.answer, task.session, transcript, self.parts.settings.preferences)
        input_hash = fingerprint(self.name, request.SerializeToString(deterministic=True))
        return Call(input_hash, lambda on_progress: self.service(request, on_progress))

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
