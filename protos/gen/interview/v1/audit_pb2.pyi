from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReadAuditRequest(_message.Message):
    __slots__ = ("after_seq", "limit_count")
    AFTER_SEQ_FIELD_NUMBER: _ClassVar[int]
    LIMIT_COUNT_FIELD_NUMBER: _ClassVar[int]
    after_seq: int
    limit_count: int
    def __init__(self, after_seq: _Optional[int] = ..., limit_count: _Optional[int] = ...) -> None: ...

class ReadAuditResponse(_message.Message):
    __slots__ = ("entries", "head_seq", "head_hash")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    HEAD_SEQ_FIELD_NUMBER: _ClassVar[int]
    HEAD_HASH_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AuditEntry]
    head_seq: int
    head_hash: str
    def __init__(self, entries: _Optional[_Iterable[_Union[AuditEntry, _Mapping]]] = ..., head_seq: _Optional[int] = ..., head_hash: _Optional[str] = ...) -> None: ...

class AuditEntry(_message.Message):
    __slots__ = ("seq", "record", "hash")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    seq: int
    record: str
    hash: str
    def __init__(self, seq: _Optional[int] = ..., record: _Optional[str] = ..., hash: _Optional[str] = ...) -> None: ...

class NoteAuditRequest(_message.Message):
    __slots__ = ("notes",)
    NOTES_FIELD_NUMBER: _ClassVar[int]
    notes: _containers.RepeatedCompositeFieldContainer[AuditNote]
    def __init__(self, notes: _Optional[_Iterable[_Union[AuditNote, _Mapping]]] = ...) -> None: ...

class NoteAuditResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AuditNote(_message.Message):
    __slots__ = ("action", "session_id", "who", "group", "outcome", "occurrence_count", "details")
    class DetailsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    OCCURRENCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    action: str
    session_id: str
    who: str
    group: str
    outcome: str
    occurrence_count: int
    details: _containers.ScalarMap[str, str]
    def __init__(self, action: _Optional[str] = ..., session_id: _Optional[str] = ..., who: _Optional[str] = ..., group: _Optional[str] = ..., outcome: _Optional[str] = ..., occurrence_count: _Optional[int] = ..., details: _Optional[_Mapping[str, str]] = ...) -> None: ...
