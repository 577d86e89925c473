from interview.v1 import media_pb2 as _media_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AnswerSegment(_message.Message):
    __slots__ = ("text", "words", "start_s", "end_s")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    text: str
    words: _containers.RepeatedCompositeFieldContainer[_media_pb2.Word]
    start_s: float
    end_s: float
    def __init__(self, text: _Optional[str] = ..., words: _Optional[_Iterable[_Union[_media_pb2.Word, _Mapping]]] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ...) -> None: ...

class AssessRequest(_message.Message):
    __slots__ = ("question", "segments", "language_code", "reader_language_code", "rubric_id", "seed")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    READER_LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    RUBRIC_ID_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    question: str
    segments: _containers.RepeatedCompositeFieldContainer[AnswerSegment]
    language_code: str
    reader_language_code: str
    rubric_id: str
    seed: int
    def __init__(self, question: _Optional[str] = ..., segments: _Optional[_Iterable[_Union[AnswerSegment, _Mapping]]] = ..., language_code: _Optional[str] = ..., reader_language_code: _Optional[str] = ..., rubric_id: _Optional[str] = ..., seed: _Optional[int] = ...) -> None: ...

class Sentence(_message.Message):
    __slots__ = ("id", "text", "start_s", "end_s", "tag", "tag_probability", "excluded_reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    TAG_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    text: str
    start_s: float
    end_s: float
    tag: str
    tag_probability: float
    excluded_reason: str
    def __init__(self, id: _Optional[str] = ..., text: _Optional[str] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., tag: _Optional[str] = ..., tag_probability: _Optional[float] = ..., excluded_reason: _Optional[str] = ...) -> None: ...

class Remark(_message.Message):
    __slots__ = ("text", "sentence_ids")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_IDS_FIELD_NUMBER: _ClassVar[int]
    text: str
    sentence_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, text: _Optional[str] = ..., sentence_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class CriterionAssessment(_message.Message):
    __slots__ = ("id", "name", "outcome", "reason", "level", "score", "evidence_sentence_ids", "strengths", "gaps", "spread_levels", "weight_ratio")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_SENTENCE_IDS_FIELD_NUMBER: _ClassVar[int]
    STRENGTHS_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    SPREAD_LEVELS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_RATIO_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    outcome: _media_pb2.Outcome
    reason: str
    level: float
    score: float
    evidence_sentence_ids: _containers.RepeatedScalarFieldContainer[str]
    strengths: _containers.RepeatedCompositeFieldContainer[Remark]
    gaps: _containers.RepeatedCompositeFieldContainer[Remark]
    spread_levels: float
    weight_ratio: float
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., outcome: _Optional[_Union[_media_pb2.Outcome, str]] = ..., reason: _Optional[str] = ..., level: _Optional[float] = ..., score: _Optional[float] = ..., evidence_sentence_ids: _Optional[_Iterable[str]] = ..., strengths: _Optional[_Iterable[_Union[Remark, _Mapping]]] = ..., gaps: _Optional[_Iterable[_Union[Remark, _Mapping]]] = ..., spread_levels: _Optional[float] = ..., weight_ratio: _Optional[float] = ...) -> None: ...

class AssessmentProvenance(_message.Message):
    __slots__ = ("model", "rubric_id", "rubric_version", "rubric_digest", "prompt_version", "seed", "prompt_token_count", "completion_token_count", "token_probabilities", "prompt_digest")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    RUBRIC_ID_FIELD_NUMBER: _ClassVar[int]
    RUBRIC_VERSION_FIELD_NUMBER: _ClassVar[int]
    RUBRIC_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    PROMPT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    model: _media_pb2.ModelInfo
    rubric_id: str
    rubric_version: str
    rubric_digest: str
    prompt_version: str
    seed: int
    prompt_token_count: int
    completion_token_count: int
    token_probabilities: bool
    prompt_digest: str
    def __init__(self, model: _Optional[_Union[_media_pb2.ModelInfo, _Mapping]] = ..., rubric_id: _Optional[str] = ..., rubric_version: _Optional[str] = ..., rubric_digest: _Optional[str] = ..., prompt_version: _Optional[str] = ..., seed: _Optional[int] = ..., prompt_token_count: _Optional[int] = ..., completion_token_count: _Optional[int] = ..., token_probabilities: _Optional[bool] = ..., prompt_digest: _Optional[str] = ...) -> None: ...

class Assessment(_message.Message):
    __slots__ = ("method", "outcome", "reason", "sentences", "criteria", "total_score", "conclusion", "conclusion_absent_reason", "provenance")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SENTENCES_FIELD_NUMBER: _ClassVar[int]
    CRITERIA_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SCORE_FIELD_NUMBER: _ClassVar[int]
    CONCLUSION_FIELD_NUMBER: _ClassVar[int]
    CONCLUSION_ABSENT_REASON_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    method: str
    outcome: _media_pb2.Outcome
    reason: str
    sentences: _containers.RepeatedCompositeFieldContainer[Sentence]
    criteria: _containers.RepeatedCompositeFieldContainer[CriterionAssessment]
    total_score: float
    conclusion: str
    conclusion_absent_reason: str
    provenance: AssessmentProvenance
    def __init__(self, method: _Optional[str] = ..., outcome: _Optional[_Union[_media_pb2.Outcome, str]] = ..., reason: _Optional[str] = ..., sentences: _Optional[_Iterable[_Union[Sentence, _Mapping]]] = ..., criteria: _Optional[_Iterable[_Union[CriterionAssessment, _Mapping]]] = ..., total_score: _Optional[float] = ..., conclusion: _Optional[str] = ..., conclusion_absent_reason: _Optional[str] = ..., provenance: _Optional[_Union[AssessmentProvenance, _Mapping]] = ...) -> None: ...

class AssessResponse(_message.Message):
    __slots__ = ("assessment",)
    ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    assessment: Assessment
    def __init__(self, assessment: _Optional[_Union[Assessment, _Mapping]] = ...) -> None: ...

class AssessorServiceGetCapabilitiesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AssessorServiceGetCapabilitiesResponse(_message.Message):
    __slots__ = ("backend", "model", "rubric_ids", "language_codes", "worker_count")
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    RUBRIC_IDS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODES_FIELD_NUMBER: _ClassVar[int]
    WORKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    backend: str
    model: _media_pb2.ModelInfo
    rubric_ids: _containers.RepeatedScalarFieldContainer[str]
    language_codes: _containers.RepeatedScalarFieldContainer[str]
    worker_count: int
    def __init__(self, backend: _Optional[str] = ..., model: _Optional[_Union[_media_pb2.ModelInfo, _Mapping]] = ..., rubric_ids: _Optional[_Iterable[str]] = ..., language_codes: _Optional[_Iterable[str]] = ..., worker_count: _Optional[int] = ...) -> None: ...
