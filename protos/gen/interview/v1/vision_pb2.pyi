from interview.v1 import media_pb2 as _media_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AnalyzeConfig(_message.Message):
    __slots__ = ("recording",)
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    recording: _media_pb2.Recording
    def __init__(self, recording: _Optional[_Union[_media_pb2.Recording, _Mapping]] = ...) -> None: ...

class AnalyzeRequest(_message.Message):
    __slots__ = ("config", "chunk")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    config: AnalyzeConfig
    chunk: bytes
    def __init__(self, config: _Optional[_Union[AnalyzeConfig, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class PictureQuality(_message.Message):
    __slots__ = ("width_px", "height_px", "frame_rate_hz", "brightness_ratio", "face_width_ratio", "corrupt_packet_count", "packet_count", "sharpness_score")
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    FRAME_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    BRIGHTNESS_RATIO_FIELD_NUMBER: _ClassVar[int]
    FACE_WIDTH_RATIO_FIELD_NUMBER: _ClassVar[int]
    CORRUPT_PACKET_COUNT_FIELD_NUMBER: _ClassVar[int]
    PACKET_COUNT_FIELD_NUMBER: _ClassVar[int]
    SHARPNESS_SCORE_FIELD_NUMBER: _ClassVar[int]
    width_px: int
    height_px: int
    frame_rate_hz: float
    brightness_ratio: float
    face_width_ratio: float
    corrupt_packet_count: int
    packet_count: int
    sharpness_score: float
    def __init__(self, width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., frame_rate_hz: _Optional[float] = ..., brightness_ratio: _Optional[float] = ..., face_width_ratio: _Optional[float] = ..., corrupt_packet_count: _Optional[int] = ..., packet_count: _Optional[int] = ..., sharpness_score: _Optional[float] = ...) -> None: ...

class VisionReport(_message.Message):
    __slots__ = ("outcome", "reason", "duration_s", "sampled_frame_count", "face_ratio", "max_face_count", "measures", "observations", "quality", "models", "warnings", "inferred_frame_count", "recording_warnings", "picture_s")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FRAME_COUNT_FIELD_NUMBER: _ClassVar[int]
    FACE_RATIO_FIELD_NUMBER: _ClassVar[int]
    MAX_FACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    INFERRED_FRAME_COUNT_FIELD_NUMBER: _ClassVar[int]
    RECORDING_WARNINGS_FIELD_NUMBER: _ClassVar[int]
    PICTURE_S_FIELD_NUMBER: _ClassVar[int]
    outcome: _media_pb2.Outcome
    reason: str
    duration_s: float
    sampled_frame_count: int
    face_ratio: float
    max_face_count: int
    measures: _containers.RepeatedCompositeFieldContainer[_media_pb2.Measure]
    observations: _containers.RepeatedCompositeFieldContainer[_media_pb2.Observation]
    quality: PictureQuality
    models: _containers.RepeatedCompositeFieldContainer[_media_pb2.ModelInfo]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    inferred_frame_count: int
    recording_warnings: _containers.RepeatedCompositeFieldContainer[_media_pb2.RecordingWarning]
    picture_s: float
    def __init__(self, outcome: _Optional[_Union[_media_pb2.Outcome, str]] = ..., reason: _Optional[str] = ..., duration_s: _Optional[float] = ..., sampled_frame_count: _Optional[int] = ..., face_ratio: _Optional[float] = ..., max_face_count: _Optional[int] = ..., measures: _Optional[_Iterable[_Union[_media_pb2.Measure, _Mapping]]] = ..., observations: _Optional[_Iterable[_Union[_media_pb2.Observation, _Mapping]]] = ..., quality: _Optional[_Union[PictureQuality, _Mapping]] = ..., models: _Optional[_Iterable[_Union[_media_pb2.ModelInfo, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ..., inferred_frame_count: _Optional[int] = ..., recording_warnings: _Optional[_Iterable[_Union[_media_pb2.RecordingWarning, _Mapping]]] = ..., picture_s: _Optional[float] = ...) -> None: ...

class AnalyzeResponse(_message.Message):
    __slots__ = ("progress", "report")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    progress: _media_pb2.Progress
    report: VisionReport
    def __init__(self, progress: _Optional[_Union[_media_pb2.Progress, _Mapping]] = ..., report: _Optional[_Union[VisionReport, _Mapping]] = ...) -> None: ...

class VisionServiceGetCapabilitiesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VisionServiceGetCapabilitiesResponse(_message.Message):
    __slots__ = ("models", "observation_kinds", "measure_names", "max_media_bytes", "worker_count")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_KINDS_FIELD_NUMBER: _ClassVar[int]
    MEASURE_NAMES_FIELD_NUMBER: _ClassVar[int]
    MAX_MEDIA_BYTES_FIELD_NUMBER: _ClassVar[int]
    WORKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[_media_pb2.ModelInfo]
    observation_kinds: _containers.RepeatedScalarFieldContainer[str]
    measure_names: _containers.RepeatedScalarFieldContainer[str]
    max_media_bytes: int
    worker_count: int
    def __init__(self, models: _Optional[_Iterable[_Union[_media_pb2.ModelInfo, _Mapping]]] = ..., observation_kinds: _Optional[_Iterable[str]] = ..., measure_names: _Optional[_Iterable[str]] = ..., max_media_bytes: _Optional[int] = ..., worker_count: _Optional[int] = ...) -> None: ...
