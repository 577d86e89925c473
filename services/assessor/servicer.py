"""gRPC edge of the assessor: unpack, call, pack. See `protos/interview/v1/assessor.proto`."""

from __future__ import annotations

import grpc

from chassis.deadline import Deadline
from chassis.telemetry import TOKENS
from chassis.workers import Workers
from interview.v1 import assessor_pb2, assessor_pb2_grpc, media_pb2
from services.assessor.answer import Answer, Segment, Word
from services.assessor.assessment import Assessment, CriterionAssessment, Outcome, Provenance, Remark
from services.assessor.engine import Assessor
from services.assessor.remarks import EXCLUDED, reader_language
from services.assessor.tags import TaggedSentence

SERVICE_NAME = "interview.v1.AssessorService"

_OUTCOMES = {
    Outcome.OK: media_pb2.OUTCOME_OK,
    Outcome.INSUFFICIENT_EVIDENCE: media_pb2.OUTCOME_INSUFFICIENT_EVIDENCE,
}


class AssessorServicer(assessor_pb2_grpc.AssessorServiceServicer):
    """Serves one assessor.

    Args:
        assessor: Does the work.
        workers: The threads that it is done in.
        default_timeout_s: Time for a request that comes without a deadline.
    """

    def __init__(self, assessor: Assessor, workers: Workers, default_timeout_s: float) -> None:
        self._assessor = assessor
        self._workers = workers
        self._default_timeout_s = default_timeout_s

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register with a gRPC server."""
        assessor_pb2_grpc.add_AssessorServiceServicer_to_server(self, server)

    async def Assess(
        self, request: assessor_pb2.AssessRequest, context: grpc.aio.ServicerContext
    ) -> assessor_pb2.AssessResponse:
        """See `protos/interview/v1/assessor.proto`."""
        answer = _to_answer(request)
        assessment = await self._workers.run(
            # Asked in the thread: the wait for a free one counts.
            lambda stop: self._assessor.assess(answer, Deadline(self._time_s(context), stop))
        )
        _count(assessment.provenance)
        language = reader_language(answer.reader_language_code, answer.language_code)
        return assessor_pb2.AssessResponse(assessment=_to_assessment(assessment, language))

    async def GetCapabilities(
        self,
        request: assessor_pb2.AssessorServiceGetCapabilitiesRequest,  # noqa: ARG002 - it is empty
        context: grpc.aio.ServicerContext,  # noqa: ARG002 - nothing to ask of it
    ) -> assessor_pb2.AssessorServiceGetCapabilitiesResponse:
        """See `protos/interview/v1/assessor.proto`."""
        model = self._assessor.model_info
        return assessor_pb2.AssessorServiceGetCapabilitiesResponse(
            backend=self._assessor.backend,
            model=media_pb2.ModelInfo(
                name=model.name, version=model.version, digest=model.digest, device=model.device
            ),
            rubric_ids=self._assessor.rubric_ids,
            language_codes=self._assessor.language_codes,
            worker_count=self._workers.worker_count,
        )

    def _time_s(self, context: grpc.aio.ServicerContext) -> float:
        remaining_s = context.time_remaining()
        return self._default_timeout_s if remaining_s is None else float(remaining_s)


def _to_answer(request: assessor_pb2.AssessRequest) -> Answer:
    return Answer(
        question=request.question,
        segments=tuple(
            Segment(
                text=segment.text,
                words=tuple(Word(word.text, word.start_s, word.end_s) for word in segment.words),
                start_s=segment.start_s if segment.HasField("start_s") else None,
                end_s=segment.end_s if segment.HasField("end_s") else None,
            )
            for segment in request.segments
        ),
        language_code=request.language_code,
        reader_language_code=request.reader_language_code,
        rubric_id=request.rubric_id,
        seed=request.seed if request.HasField("seed") else None,
    )


def _to_assessment(assessment: Assessment, language: str) -> assessor_pb2.Assessment:
    return assessor_pb2.Assessment(
        method=assessment.method,
        outcome=_OUTCOMES[assessment.outcome],
        reason=assessment.reason,
        sentences=[_to_sentence(sentence, language) for sentence in assessment.sentences],
        criteria=[_to_criterion(criterion) for criterion in assessment.criteria],
        total_score=assessment.total_score,
        conclusion=assessment.conclusion,
        conclusion_absent_reason=assessment.conclusion_absent_reason,
        provenance=_to_provenance(assessment.provenance),
    )


def _to_sentence(item: TaggedSentence, language: str) -> assessor_pb2.Sentence:
    tag_known = item.tag is not None and item.probabilities is not None
    return assessor_pb2.Sentence(
        id=item.sentence.id,
        text=item.sentence.text,
        start_s=item.sentence.start_s,
        end_s=item.sentence.end_s,
        tag=item.tag or "",
        tag_probability=item.probability(item.tag) if tag_known and item.tag else None,
        excluded_reason="" if item.exclusion is None else EXCLUDED[item.exclusion][language],
    )


def _to_criterion(criterion: CriterionAssessment) -> assessor_pb2.CriterionAssessment:
    return assessor_pb2.CriterionAssessment(
        id=criterion.id,
        name=criterion.name,
        outcome=_OUTCOMES[criterion.outcome],
        reason=criterion.reason,
        level=criterion.level,
        score=criterion.score,
        evidence_sentence_ids=criterion.evidence_sentence_ids,
        strengths=[_to_remark(remark) for remark in criterion.strengths],
        gaps=[_to_remark(remark) for remark in criterion.gaps],
        spread_levels=criterion.spread_levels,
        weight_ratio=criterion.weight_ratio,
    )


def _to_remark(remark: Remark) -> assessor_pb2.Remark:
    return assessor_pb2.Remark(text=remark.text, sentence_ids=remark.sentence_ids)


def _to_provenance(provenance: Provenance) -> assessor_pb2.AssessmentProvenance:
    return assessor_pb2.AssessmentProvenance(
        model=media_pb2.ModelInfo(
            name=provenance.model_name,
            version=provenance.model_version,
            digest=provenance.model_digest,
            device=provenance.model_device,
        ),
        rubric_id=provenance.rubric_id,
        rubric_version=provenance.rubric_version,
        rubric_digest=provenance.rubric_digest,
        prompt_version=provenance.prompt_version,
        prompt_digest=provenance.prompt_digest,
        seed=provenance.seed,
        prompt_token_count=provenance.prompt_token_count,
        completion_token_count=provenance.completion_token_count,
        token_probabilities=provenance.token_probabilities,
    )


def _count(provenance: Provenance) -> None:
    TOKENS.labels("prompt").inc(provenance.prompt_token_count or 0)
    TOKENS.labels("completion").inc(provenance.completion_token_count or 0)
