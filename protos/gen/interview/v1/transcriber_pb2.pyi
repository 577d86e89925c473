from interview.v1 import media_pb2 as _media_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TranscribeTask(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSCRIBE_TASK_UNSPECIFIED: _ClassVar[TranscribeTask]
    TRANSCRIBE_TASK_TRANSCRIBE: _ClassVar[TranscribeTask]
    TRANSCRIBE_TASK_TRANSLATE: _ClassVar[TranscribeTask]

class SegmentFlag(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEGMENT_FLAG_UNSPECIFIED: _ClassVar[SegmentFlag]
    SEGMENT_FLAG_REPETITION: _ClassVar[SegmentFlag]
    SEGMENT_FLAG_HIGH_COMPRESSION: _ClassVar[SegmentFlag]
    SEGMENT_FLAG_LOW_PROBABILITY: _ClassVar[SegmentFlag]
    SEGMENT_FLAG_NO_SPEECH: _ClassVar[SegmentFlag]
    SEGMENT_FLAG_UNEXPECTED_LANGUAGE: _ClassVar[SegmentFlag]
TRANSCRIBE_TASK_UNSPECIFIED: TranscribeTask
TRANSCRIBE_TASK_TRANSCRIBE: TranscribeTask
TRANSCRIBE_TASK_TRANSLATE: TranscribeTask
SEGMENT_FLAG_UNSPECIFIED: SegmentFlag
SEGMENT_FLAG_REPETITION: SegmentFlag
SEGMENT_FLAG_HIGH_COMPRESSION: SegmentFlag
SEGMENT_FLAG_LOW_PROBABILITY: SegmentFlag
SEGMENT_FLAG_NO_SPEECH: SegmentFlag
SEGMENT_FLAG_UNEXPECTED_LANGUAGE: SegmentFlag

class TranscribeConfig(_message.Message):
    __slots__ = ("recording", "language_code", "task", "beam_size", "hotwords", "prompt", "vad_disabled")
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    BEAM_SIZE_FIELD_NUMBER: _ClassVar[int]
    HOTWORDS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    VAD_DISABLED_FIELD_NUMBER: _ClassVar[int]
    recording: _media_pb2.Recording
    language_code: str
    task: TranscribeTask
    beam_size: int
    hotwords: str
    prompt: str
    vad_disabled: bool
    def __init__(self, recording: _Optional[_Union[_media_pb2.Recording, _Mapping]] = ..., language_code: _Optional[str] = ..., task: _Optional[_Union[TranscribeTask, str]] = ..., beam_size: _Optional[int] = ..., hotwords: _Optional[str] = ..., prompt: _Optional[str] = ..., vad_disabled: _Optional[bool] = ...) -> None: ...

class TranscribeRequest(_message.Message):
    __slots__ = ("config", "chunk")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    config: TranscribeConfig
    chunk: bytes
    def __init__(self, config: _Optional[_Union[TranscribeConfig, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class Segment(_message.Message):
    __slots__ = ("start_s", "end_s", "text", "words", "avg_logprob", "no_speech_probability", "compression_ratio", "temperature", "language_code", "language_probability", "flags", "provisional")
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    AVG_LOGPROB_FIELD_NUMBER: _ClassVar[int]
    NO_SPEECH_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    COMPRESSION_RATIO_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    PROVISIONAL_FIELD_NUMBER: _ClassVar[int]
    start_s: float
    end_s: float
    text: str
    words: _containers.RepeatedCompositeFieldContainer[_media_pb2.Word]
    avg_logprob: float
    no_speech_probability: float
    compression_ratio: float
    temperature: float
    language_code: str
    language_probability: float
    flags: _containers.RepeatedScalarFieldContainer[SegmentFlag]
    provisional: bool
    def __init__(self, start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., text: _Optional[str] = ..., words: _Optional[_Iterable[_Union[_media_pb2.Word, _Mapping]]] = ..., avg_logprob: _Optional[float] = ..., no_speech_probability: _Optional[float] = ..., compression_ratio: _Optional[float] = ..., temperature: _Optional[float] = ..., language_code: _Optional[str] = ..., language_probability: _Optional[float] = ..., flags: _Optional[_Iterable[_Union[SegmentFlag, str]]] = ..., provisional: _Optional[bool] = ...) -> None: ...

class Transcript(_message.Message):
    __slots__ = ("segments", "language_code", "language_probability", "duration_s", "speech_s", "uncovered_speech_s", "real_time_factor_ratio", "mean_word_probability", "outcome", "warnings", "model", "recording_warnings")
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    SPEECH_S_FIELD_NUMBER: _ClassVar[int]
    UNCOVERED_SPEECH_S_FIELD_NUMBER: _ClassVar[int]
    REAL_TIME_FACTOR_RATIO_FIELD_NUMBER: _ClassVar[int]
    MEAN_WORD_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    RECORDING_WARNINGS_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[Segment]
    language_code: str
    language_probability: float
    duration_s: float
    speech_s: float
    uncovered_speech_s: float
    real_time_factor_ratio: float
    mean_word_probability: float
    outcome: _media_pb2.Outcome
    warnings: _containers.RepeatedScalarFieldContainer[str]
    model: _media_pb2.ModelInfo
    recording_warnings: _containers.RepeatedCompositeFieldContainer[_media_pb2.RecordingWarning]
    def __init__(self, segments: _Optional[_Iterable[_Union[Segment, _Mapping]]] = ..., language_code: _Optional[str] = ..., language_probability: _Optional[float] = ..., duration_s: _Optional[float] = ..., speech_s: _Optional[float] = ..., uncovered_speech_s: _Optional[float] = ..., real_time_factor_ratio: _Optional[float] = ..., mean_word_probability: _Optional[float] = ..., outcome: _Optional[_Union[_media_pb2.Outcome, str]] = ..., warnings: _Optional[_Iterable[str]] = ..., model: _Optional[_Union[_media_pb2.ModelInfo, _Mapping]] = ..., recording_warnings: _Optional[_Iterable[_Union[_media_pb2.RecordingWarning, _Mapping]]] = ...) -> None: ...

class TranscribeResponse(_message.Message):
    __slots__ = ("progress", "segment", "transcript")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    progress: _media_pb2.Progress
    segment: Segment
    transcript: Transcript
    def __init__(self, progress: _Optional[_Union[_media_pb2.Progress, _Mapping]] = ..., segment: _Optional[_Union[Segment, _Mapping]] = ..., transcript: _Optional[_Union[Transcript, _Mapping]] = ...) -> None: ...

class TranscriberServiceGetCapabilitiesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TranscriberServiceGetCapabilitiesResponse(_message.Message):
    __slots__ = ("model", "language_codes", "max_media_bytes", "worker_count")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODES_FIELD_NUMBER: _ClassVar[int]
    MAX_MEDIA_BYTES_FIELD_NUMBER: _ClassVar[int]
    WORKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    model: _media_pb2.ModelInfo
    language_codes: _containers.RepeatedScalarFieldContainer[str]
    max_media_bytes: int
    worker_count: int
    def __init__(self, model: _Optional[_Union[_media_pb2.ModelInfo, _Mapping]] = ..., language_codes: _Optional[_Iterable[str]] = ..., max_media_bytes: _Optional[int] = ..., worker_count: _Optional[int] = ...) -> None: ...
