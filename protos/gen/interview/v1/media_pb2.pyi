from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_OK: _ClassVar[Outcome]
    OUTCOME_INSUFFICIENT_EVIDENCE: _ClassVar[Outcome]
    OUTCOME_LOW_AUDIO_QUALITY: _ClassVar[Outcome]
    OUTCOME_NO_SPEECH: _ClassVar[Outcome]
    OUTCOME_NO_FACE: _ClassVar[Outcome]
    OUTCOME_SERVICE_UNAVAILABLE: _ClassVar[Outcome]
    OUTCOME_NOT_CONFIGURED: _ClassVar[Outcome]
    OUTCOME_SKIPPED: _ClassVar[Outcome]
    OUTCOME_NO_AUDIO: _ClassVar[Outcome]
    OUTCOME_NO_VIDEO: _ClassVar[Outcome]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_OK: Outcome
OUTCOME_INSUFFICIENT_EVIDENCE: Outcome
OUTCOME_LOW_AUDIO_QUALITY: Outcome
OUTCOME_NO_SPEECH: Outcome
OUTCOME_NO_FACE: Outcome
OUTCOME_SERVICE_UNAVAILABLE: Outcome
OUTCOME_NOT_CONFIGURED: Outcome
OUTCOME_SKIPPED: Outcome
OUTCOME_NO_AUDIO: Outcome
OUTCOME_NO_VIDEO: Outcome

class Recording(_message.Message):
    __slots__ = ("uri",)
    URI_FIELD_NUMBER: _ClassVar[int]
    uri: str
    def __init__(self, uri: _Optional[str] = ...) -> None: ...

class Word(_message.Message):
    __slots__ = ("start_s", "end_s", "text", "probability", "interpolated")
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    INTERPOLATED_FIELD_NUMBER: _ClassVar[int]
    start_s: float
    end_s: float
    text: str
    probability: float
    interpolated: bool
    def __init__(self, start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., text: _Optional[str] = ..., probability: _Optional[float] = ..., interpolated: _Optional[bool] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("done_s", "total_s", "done_ratio")
    DONE_S_FIELD_NUMBER: _ClassVar[int]
    TOTAL_S_FIELD_NUMBER: _ClassVar[int]
    DONE_RATIO_FIELD_NUMBER: _ClassVar[int]
    done_s: float
    total_s: float
    done_ratio: float
    def __init__(self, done_s: _Optional[float] = ..., total_s: _Optional[float] = ..., done_ratio: _Optional[float] = ...) -> None: ...

class Measure(_message.Message):
    __slots__ = ("name", "value", "unit", "coverage_ratio", "outcome", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_RATIO_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    unit: str
    coverage_ratio: float
    outcome: Outcome
    reason: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ..., unit: _Optional[str] = ..., coverage_ratio: _Optional[float] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class Observation(_message.Message):
    __slots__ = ("kind", "start_s", "end_s", "value", "unit", "threshold", "reason")
    KIND_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    kind: str
    start_s: float
    end_s: float
    value: float
    unit: str
    threshold: float
    reason: str
    def __init__(self, kind: _Optional[str] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., value: _Optional[float] = ..., unit: _Optional[str] = ..., threshold: _Optional[float] = ..., reason: _Optional[str] = ...) -> None: ...

class RecordingWarning(_message.Message):
    __slots__ = ("kind", "message", "start_s", "end_s")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    kind: str
    message: str
    start_s: float
    end_s: float
    def __init__(self, kind: _Optional[str] = ..., message: _Optional[str] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ...) -> None: ...

class ModelInfo(_message.Message):
    __slots__ = ("name", "version", "digest", "device")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    digest: str
    device: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., digest: _Optional[str] = ..., device: _Optional[str] = ...) -> None: ...
