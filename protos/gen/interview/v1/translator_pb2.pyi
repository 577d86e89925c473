from interview.v1 import media_pb2 as _media_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Formality(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FORMALITY_UNSPECIFIED: _ClassVar[Formality]
    FORMALITY_PREFER_MORE: _ClassVar[Formality]
    FORMALITY_PREFER_LESS: _ClassVar[Formality]
FORMALITY_UNSPECIFIED: Formality
FORMALITY_PREFER_MORE: Formality
FORMALITY_PREFER_LESS: Formality

class TranslateRequest(_message.Message):
    __slots__ = ("texts", "source_language_code", "target_language_code", "context", "formality", "glossary_id")
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    TARGET_LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    FORMALITY_FIELD_NUMBER: _ClassVar[int]
    GLOSSARY_ID_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedScalarFieldContainer[str]
    source_language_code: str
    target_language_code: str
    context: str
    formality: Formality
    glossary_id: str
    def __init__(self, texts: _Optional[_Iterable[str]] = ..., source_language_code: _Optional[str] = ..., target_language_code: _Optional[str] = ..., context: _Optional[str] = ..., formality: _Optional[_Union[Formality, str]] = ..., glossary_id: _Optional[str] = ...) -> None: ...

class Translation(_message.Message):
    __slots__ = ("text", "outcome", "reason", "doubts")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DOUBTS_FIELD_NUMBER: _ClassVar[int]
    text: str
    outcome: _media_pb2.Outcome
    reason: str
    doubts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, text: _Optional[str] = ..., outcome: _Optional[_Union[_media_pb2.Outcome, str]] = ..., reason: _Optional[str] = ..., doubts: _Optional[_Iterable[str]] = ...) -> None: ...

class TranslateResponse(_message.Message):
    __slots__ = ("translations", "billed_character_count", "model", "prompt_digest")
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    BILLED_CHARACTER_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    translations: _containers.RepeatedCompositeFieldContainer[Translation]
    billed_character_count: int
    model: _media_pb2.ModelInfo
    prompt_digest: str
    def __init__(self, translations: _Optional[_Iterable[_Union[Translation, _Mapping]]] = ..., billed_character_count: _Optional[int] = ..., model: _Optional[_Union[_media_pb2.ModelInfo, _Mapping]] = ..., prompt_digest: _Optional[str] = ...) -> None: ...

class TranslatorServiceGetCapabilitiesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TranslatorServiceGetCapabilitiesResponse(_message.Message):
    __slots__ = ("backend", "model", "source_language_codes", "target_language_codes", "worker_count")
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_LANGUAGE_CODES_FIELD_NUMBER: _ClassVar[int]
    TARGET_LANGUAGE_CODES_FIELD_NUMBER: _ClassVar[int]
    WORKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    backend: str
    model: _media_pb2.ModelInfo
    source_language_codes: _containers.RepeatedScalarFieldContainer[str]
    target_language_codes: _containers.RepeatedScalarFieldContainer[str]
    worker_count: int
    def __init__(self, backend: _Optional[str] = ..., model: _Optional[_Union[_media_pb2.ModelInfo, _Mapping]] = ..., source_language_codes: _Optional[_Iterable[str]] = ..., target_language_codes: _Optional[_Iterable[str]] = ..., worker_count: _Optional[int] = ...) -> None: ...

class TranslatorServiceGetUsageRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TranslatorServiceGetUsageResponse(_message.Message):
    __slots__ = ("backend", "billed_character_count", "limit_character_count")
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    BILLED_CHARACTER_COUNT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_CHARACTER_COUNT_FIELD_NUMBER: _ClassVar[int]
    backend: str
    billed_character_count: int
    limit_character_count: int
    def __init__(self, backend: _Optional[str] = ..., billed_character_count: _Optional[int] = ..., limit_character_count: _Optional[int] = ...) -> None: ...
