from interview.v1 import media_pb2 as _media_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DiarizeConfig(_message.Message):
    __slots__ = ("recording",)
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    recording: _media_pb2.Recording
    def __init__(self, recording: _Optional[_Union[_media_pb2.Recording, _Mapping]] = ...) -> None: ...

class DiarizeRequest(_message.Message):
    __slots__ = ("config", "chunk")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    config: DiarizeConfig
    chunk: bytes
    def __init__(self, config: _Optional[_Union[DiarizeConfig, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class Turn(_message.Message):
    __slots__ = ("start_s", "end_s", "voice", "confidence")
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    VOICE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    start_s: float
    end_s: float
    voice: int
    confidence: float
    def __init__(self, start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., voice: _Optional[int] = ..., confidence: _Optional[float] = ...) -> None: ...

class Voice(_message.Message):
    __slots__ = ("voice", "speech_s")
    VOICE_FIELD_NUMBER: _ClassVar[int]
    SPEECH_S_FIELD_NUMBER: _ClassVar[int]
    voice: int
    speech_s: float
    def __init__(self, voice: _Optional[int] = ..., speech_s: _Optional[float] = ...) -> None: ...

class Diarization(_message.Message):
    __slots__ = ("outcome", "reason", "voice_count", "voices", "turns", "second_voice_probability", "decision_similarity", "speech_s", "duration_s", "observations", "model", "warnings", "margin_similarity", "recording_warnings")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VOICE_COUNT_FIELD_NUMBER: _ClassVar[int]
    VOICES_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    SECOND_VOICE_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    DECISION_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    SPEECH_S_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    MARGIN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    RECORDING_WARNINGS_FIELD_NUMBER: _ClassVar[int]
    outcome: _media_pb2.Outcome
    reason: str
    voice_count: int
    voices: _containers.RepeatedCompositeFieldContainer[Voice]
    turns: _containers.RepeatedCompositeFieldContainer[Turn]
    second_voice_probability: float
    decision_similarity: float
    speech_s: float
    duration_s: float
    observations: _containers.RepeatedCompositeFieldContainer[_media_pb2.Observation]
    model: _media_pb2.ModelInfo
    warnings: _containers.RepeatedScalarFieldContainer[str]
    margin_similarity: float
    recording_warnings: _containers.RepeatedCompositeFieldContainer[_media_pb2.RecordingWarning]
    def __init__(self, outcome: _Optional[_Union[_media_pb2.Outcome, str]] = ..., reason: _Optional[str] = ..., voice_count: _Optional[int] = ..., voices: _Optional[_Iterable[_Union[Voice, _Mapping]]] = ..., turns: _Optional[_Iterable[_Union[Turn, _Mapping]]] = ..., second_voice_probability: _Optional[float] = ..., decision_similarity: _Optional[float] = ..., speech_s: _Optional[float] = ..., duration_s: _Optional[float] = ..., observations: _Optional[_Iterable[_Union[_media_pb2.Observation, _Mapping]]] = ..., model: _Optional[_Union[_media_pb2.ModelInfo, _Mapping]] = ..., warnings: _Optional[_Iterable[str]] = ..., margin_similarity: _Optional[float] = ..., recording_warnings: _Optional[_Iterable[_Union[_media_pb2.RecordingWarning, _Mapping]]] = ...) -> None: ...

class DiarizeResponse(_message.Message):
    __slots__ = ("progress", "diarization")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DIARIZATION_FIELD_NUMBER: _ClassVar[int]
    progress: _media_pb2.Progress
    diarization: Diarization
    def __init__(self, progress: _Optional[_Union[_media_pb2.Progress, _Mapping]] = ..., diarization: _Optional[_Union[Diarization, _Mapping]] = ...) -> None: ...

class SpeakerServiceGetCapabilitiesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SpeakerServiceGetCapabilitiesResponse(_message.Message):
    __slots__ = ("model", "second_voice_threshold_probability", "max_media_bytes", "worker_count")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SECOND_VOICE_THRESHOLD_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    MAX_MEDIA_BYTES_FIELD_NUMBER: _ClassVar[int]
    WORKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    model: _media_pb2.ModelInfo
    second_voice_threshold_probability: float
    max_media_bytes: int
    worker_count: int
    def __init__(self, model: _Optional[_Union[_media_pb2.ModelInfo, _Mapping]] = ..., second_voice_threshold_probability: _Optional[float] = ..., max_media_bytes: _Optional[int] = ..., worker_count: _Optional[int] = ...) -> None: ...
