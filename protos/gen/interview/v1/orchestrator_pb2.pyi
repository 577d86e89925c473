from interview.v1 import media_pb2 as _media_pb2
from interview.v1 import translator_pb2 as _translator_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SessionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SESSION_STATE_UNSPECIFIED: _ClassVar[SessionState]
    SESSION_STATE_QUEUED: _ClassVar[SessionState]
    SESSION_STATE_PROCESSING: _ClassVar[SessionState]
    SESSION_STATE_COMPLETED: _ClassVar[SessionState]
    SESSION_STATE_FAILED: _ClassVar[SessionState]
    SESSION_STATE_CANCELLED: _ClassVar[SessionState]
    SESSION_STATE_FETCHING: _ClassVar[SessionState]

class StageState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_STATE_UNSPECIFIED: _ClassVar[StageState]
    STAGE_STATE_PENDING: _ClassVar[StageState]
    STAGE_STATE_RUNNING: _ClassVar[StageState]
    STAGE_STATE_DONE: _ClassVar[StageState]
    STAGE_STATE_FAILED: _ClassVar[StageState]
    STAGE_STATE_SKIPPED: _ClassVar[StageState]
    STAGE_STATE_WAITING: _ClassVar[StageState]
SESSION_STATE_UNSPECIFIED: SessionState
SESSION_STATE_QUEUED: SessionState
SESSION_STATE_PROCESSING: SessionState
SESSION_STATE_COMPLETED: SessionState
SESSION_STATE_FAILED: SessionState
SESSION_STATE_CANCELLED: SessionState
SESSION_STATE_FETCHING: SessionState
STAGE_STATE_UNSPECIFIED: StageState
STAGE_STATE_PENDING: StageState
STAGE_STATE_RUNNING: StageState
STAGE_STATE_DONE: StageState
STAGE_STATE_FAILED: StageState
STAGE_STATE_SKIPPED: StageState
STAGE_STATE_WAITING: StageState

class UploadRecordingConfig(_message.Message):
    __slots__ = ("session_id", "position", "file_name")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    position: int
    file_name: str
    def __init__(self, session_id: _Optional[str] = ..., position: _Optional[int] = ..., file_name: _Optional[str] = ...) -> None: ...

class UploadRecordingRequest(_message.Message):
    __slots__ = ("config", "chunk")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    config: UploadRecordingConfig
    chunk: bytes
    def __init__(self, config: _Optional[_Union[UploadRecordingConfig, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class UploadRecordingResponse(_message.Message):
    __slots__ = ("uri", "digest", "media_bytes")
    URI_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    MEDIA_BYTES_FIELD_NUMBER: _ClassVar[int]
    uri: str
    digest: str
    media_bytes: int
    def __init__(self, uri: _Optional[str] = ..., digest: _Optional[str] = ..., media_bytes: _Optional[int] = ...) -> None: ...

class FollowRecordingRequest(_message.Message):
    __slots__ = ("session_id", "position", "language_code", "owner_group")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    OWNER_GROUP_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    position: int
    language_code: str
    owner_group: str
    def __init__(self, session_id: _Optional[str] = ..., position: _Optional[int] = ..., language_code: _Optional[str] = ..., owner_group: _Optional[str] = ...) -> None: ...

class FollowRecordingResponse(_message.Message):
    __slots__ = ("followed",)
    FOLLOWED_FIELD_NUMBER: _ClassVar[int]
    followed: bool
    def __init__(self, followed: _Optional[bool] = ...) -> None: ...

class AnswerInput(_message.Message):
    __slots__ = ("uri", "question", "file_name", "digest", "media_bytes", "position", "unavailable_reason", "rubric_id", "link")
    URI_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    MEDIA_BYTES_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    UNAVAILABLE_REASON_FIELD_NUMBER: _ClassVar[int]
    RUBRIC_ID_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    uri: str
    question: str
    file_name: str
    digest: str
    media_bytes: int
    position: int
    unavailable_reason: str
    rubric_id: str
    link: str
    def __init__(self, uri: _Optional[str] = ..., question: _Optional[str] = ..., file_name: _Optional[str] = ..., digest: _Optional[str] = ..., media_bytes: _Optional[int] = ..., position: _Optional[int] = ..., unavailable_reason: _Optional[str] = ..., rubric_id: _Optional[str] = ..., link: _Optional[str] = ...) -> None: ...

class CreateSessionRequest(_message.Message):
    __slots__ = ("session_id", "candidate_name", "language_code", "answers", "rubric_id", "owner_group")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_NAME_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    RUBRIC_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_GROUP_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    candidate_name: str
    language_code: str
    answers: _containers.RepeatedCompositeFieldContainer[AnswerInput]
    rubric_id: str
    owner_group: str
    def __init__(self, session_id: _Optional[str] = ..., candidate_name: _Optional[str] = ..., language_code: _Optional[str] = ..., answers: _Optional[_Iterable[_Union[AnswerInput, _Mapping]]] = ..., rubric_id: _Optional[str] = ..., owner_group: _Optional[str] = ...) -> None: ...

class CreateSessionResponse(_message.Message):
    __slots__ = ("session", "existing", "missing_positions")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    EXISTING_FIELD_NUMBER: _ClassVar[int]
    MISSING_POSITIONS_FIELD_NUMBER: _ClassVar[int]
    session: Session
    existing: bool
    missing_positions: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ..., existing: _Optional[bool] = ..., missing_positions: _Optional[_Iterable[int]] = ...) -> None: ...

class StageStatus(_message.Message):
    __slots__ = ("stage", "state", "done_ratio", "attempt_count", "reason", "message", "waiting_since_s")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DONE_RATIO_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    WAITING_SINCE_S_FIELD_NUMBER: _ClassVar[int]
    stage: str
    state: StageState
    done_ratio: float
    attempt_count: int
    reason: str
    message: str
    waiting_since_s: float
    def __init__(self, stage: _Optional[str] = ..., state: _Optional[_Union[StageState, str]] = ..., done_ratio: _Optional[float] = ..., attempt_count: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., waiting_since_s: _Optional[float] = ...) -> None: ...

class AnswerStatus(_message.Message):
    __slots__ = ("position", "stages", "assessed")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    ASSESSED_FIELD_NUMBER: _ClassVar[int]
    position: int
    stages: _containers.RepeatedCompositeFieldContainer[StageStatus]
    assessed: bool
    def __init__(self, position: _Optional[int] = ..., stages: _Optional[_Iterable[_Union[StageStatus, _Mapping]]] = ..., assessed: _Optional[bool] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ("session_id", "state", "create_time_s", "end_time_s", "answers", "done_ratio", "reason", "message", "candidate_name", "remaining_s", "held")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_S_FIELD_NUMBER: _ClassVar[int]
    END_TIME_S_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    DONE_RATIO_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_NAME_FIELD_NUMBER: _ClassVar[int]
    REMAINING_S_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    state: SessionState
    create_time_s: float
    end_time_s: float
    answers: _containers.RepeatedCompositeFieldContainer[AnswerStatus]
    done_ratio: float
    reason: str
    message: str
    candidate_name: str
    remaining_s: float
    held: bool
    def __init__(self, session_id: _Optional[str] = ..., state: _Optional[_Union[SessionState, str]] = ..., create_time_s: _Optional[float] = ..., end_time_s: _Optional[float] = ..., answers: _Optional[_Iterable[_Union[AnswerStatus, _Mapping]]] = ..., done_ratio: _Optional[float] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., candidate_name: _Optional[str] = ..., remaining_s: _Optional[float] = ..., held: _Optional[bool] = ...) -> None: ...

class GetSessionRequest(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    def __init__(self, session_id: _Optional[str] = ...) -> None: ...

class GetSessionResponse(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: Session
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ...) -> None: ...

class WatchSessionRequest(_message.Message):
    __slots__ = ("session_id", "after_event_id")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    after_event_id: int
    def __init__(self, session_id: _Optional[str] = ..., after_event_id: _Optional[int] = ...) -> None: ...

class WatchSessionResponse(_message.Message):
    __slots__ = ("event_id", "session", "event_time_s")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_S_FIELD_NUMBER: _ClassVar[int]
    event_id: int
    session: Session
    event_time_s: float
    def __init__(self, event_id: _Optional[int] = ..., session: _Optional[_Union[Session, _Mapping]] = ..., event_time_s: _Optional[float] = ...) -> None: ...

class ListSessionsRequest(_message.Message):
    __slots__ = ("page_size_count", "page_token", "state", "owner_group")
    PAGE_SIZE_COUNT_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OWNER_GROUP_FIELD_NUMBER: _ClassVar[int]
    page_size_count: int
    page_token: str
    state: SessionState
    owner_group: str
    def __init__(self, page_size_count: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[SessionState, str]] = ..., owner_group: _Optional[str] = ...) -> None: ...

class ListSessionsResponse(_message.Message):
    __slots__ = ("sessions", "next_page_token")
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[Session]
    next_page_token: str
    def __init__(self, sessions: _Optional[_Iterable[_Union[Session, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelSessionRequest(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    def __init__(self, session_id: _Optional[str] = ...) -> None: ...

class CancelSessionResponse(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: Session
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ...) -> None: ...

class DeleteSessionRequest(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    def __init__(self, session_id: _Optional[str] = ...) -> None: ...

class DeleteSessionResponse(_message.Message):
    __slots__ = ("receipt",)
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: DeletionReceipt
    def __init__(self, receipt: _Optional[_Union[DeletionReceipt, _Mapping]] = ...) -> None: ...

class SetLegalHoldRequest(_message.Message):
    __slots__ = ("session_id", "held")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    held: bool
    def __init__(self, session_id: _Optional[str] = ..., held: _Optional[bool] = ...) -> None: ...

class SetLegalHoldResponse(_message.Message):
    __slots__ = ("held",)
    HELD_FIELD_NUMBER: _ClassVar[int]
    held: bool
    def __init__(self, held: _Optional[bool] = ...) -> None: ...

class DeletionReceipt(_message.Message):
    __slots__ = ("session_id", "artifacts", "delete_time_s")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_S_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    artifacts: _containers.RepeatedCompositeFieldContainer[DeletedArtifact]
    delete_time_s: float
    def __init__(self, session_id: _Optional[str] = ..., artifacts: _Optional[_Iterable[_Union[DeletedArtifact, _Mapping]]] = ..., delete_time_s: _Optional[float] = ...) -> None: ...

class DeletedArtifact(_message.Message):
    __slots__ = ("kind", "name", "digest", "size_bytes")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    kind: str
    name: str
    digest: str
    size_bytes: int
    def __init__(self, kind: _Optional[str] = ..., name: _Optional[str] = ..., digest: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class RetrySessionRequest(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    def __init__(self, session_id: _Optional[str] = ...) -> None: ...

class RetrySessionResponse(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: Session
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ...) -> None: ...

class ReassessSessionRequest(_message.Message):
    __slots__ = ("session_id", "rubric_id")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    RUBRIC_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    rubric_id: str
    def __init__(self, session_id: _Optional[str] = ..., rubric_id: _Optional[str] = ...) -> None: ...

class ReassessSessionResponse(_message.Message):
    __slots__ = ("version", "existing")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EXISTING_FIELD_NUMBER: _ClassVar[int]
    version: ResultVersion
    existing: bool
    def __init__(self, version: _Optional[_Union[ResultVersion, _Mapping]] = ..., existing: _Optional[bool] = ...) -> None: ...

class ResultVersion(_message.Message):
    __slots__ = ("version_id", "rubric_id", "state", "create_time_s", "end_time_s", "reason", "message")
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    RUBRIC_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_S_FIELD_NUMBER: _ClassVar[int]
    END_TIME_S_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    version_id: int
    rubric_id: str
    state: SessionState
    create_time_s: float
    end_time_s: float
    reason: str
    message: str
    def __init__(self, version_id: _Optional[int] = ..., rubric_id: _Optional[str] = ..., state: _Optional[_Union[SessionState, str]] = ..., create_time_s: _Optional[float] = ..., end_time_s: _Optional[float] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class ListResultVersionsRequest(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    def __init__(self, session_id: _Optional[str] = ...) -> None: ...

class ListResultVersionsResponse(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[ResultVersion]
    def __init__(self, versions: _Optional[_Iterable[_Union[ResultVersion, _Mapping]]] = ...) -> None: ...

class GetResultRequest(_message.Message):
    __slots__ = ("session_id", "version_id")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    version_id: int
    def __init__(self, session_id: _Optional[str] = ..., version_id: _Optional[int] = ...) -> None: ...

class GetResultResponse(_message.Message):
    __slots__ = ("document", "version_id")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    document: bytes
    version_id: int
    def __init__(self, document: _Optional[bytes] = ..., version_id: _Optional[int] = ...) -> None: ...

class OrchestratorServiceGetCapabilitiesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OrchestratorServiceGetCapabilitiesResponse(_message.Message):
    __slots__ = ("language_codes", "rubric_ids", "has_room")
    LANGUAGE_CODES_FIELD_NUMBER: _ClassVar[int]
    RUBRIC_IDS_FIELD_NUMBER: _ClassVar[int]
    HAS_ROOM_FIELD_NUMBER: _ClassVar[int]
    language_codes: _containers.RepeatedScalarFieldContainer[str]
    rubric_ids: _containers.RepeatedScalarFieldContainer[str]
    has_room: bool
    def __init__(self, language_codes: _Optional[_Iterable[str]] = ..., rubric_ids: _Optional[_Iterable[str]] = ..., has_room: _Optional[bool] = ...) -> None: ...

class FetchedRecording(_message.Message):
    __slots__ = ("uri", "file_name", "digest", "media_bytes")
    URI_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    MEDIA_BYTES_FIELD_NUMBER: _ClassVar[int]
    uri: str
    file_name: str
    digest: str
    media_bytes: int
    def __init__(self, uri: _Optional[str] = ..., file_name: _Optional[str] = ..., digest: _Optional[str] = ..., media_bytes: _Optional[int] = ...) -> None: ...

class Extraction(_message.Message):
    __slots__ = ("outcome", "audio_key", "audio_digest", "media_digest", "media_bytes", "duration_s", "picture", "sound", "track_count", "container", "warnings", "recording_warnings", "clock_offset_s", "sound_codec", "picture_codec", "sound_track_count", "picture_track_count")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    AUDIO_KEY_FIELD_NUMBER: _ClassVar[int]
    AUDIO_DIGEST_FIELD_NUMBER: _ClassVar[int]
    MEDIA_DIGEST_FIELD_NUMBER: _ClassVar[int]
    MEDIA_BYTES_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    SOUND_FIELD_NUMBER: _ClassVar[int]
    TRACK_COUNT_FIELD_NUMBER: _ClassVar[int]
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    RECORDING_WARNINGS_FIELD_NUMBER: _ClassVar[int]
    CLOCK_OFFSET_S_FIELD_NUMBER: _ClassVar[int]
    SOUND_CODEC_FIELD_NUMBER: _ClassVar[int]
    PICTURE_CODEC_FIELD_NUMBER: _ClassVar[int]
    SOUND_TRACK_COUNT_FIELD_NUMBER: _ClassVar[int]
    PICTURE_TRACK_COUNT_FIELD_NUMBER: _ClassVar[int]
    outcome: _media_pb2.Outcome
    audio_key: str
    audio_digest: str
    media_digest: str
    media_bytes: int
    duration_s: float
    picture: PictureTrack
    sound: SoundTrack
    track_count: int
    container: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    recording_warnings: _containers.RepeatedCompositeFieldContainer[_media_pb2.RecordingWarning]
    clock_offset_s: float
    sound_codec: str
    picture_codec: str
    sound_track_count: int
    picture_track_count: int
    def __init__(self, outcome: _Optional[_Union[_media_pb2.Outcome, str]] = ..., audio_key: _Optional[str] = ..., audio_digest: _Optional[str] = ..., media_digest: _Optional[str] = ..., media_bytes: _Optional[int] = ..., duration_s: _Optional[float] = ..., picture: _Optional[_Union[PictureTrack, _Mapping]] = ..., sound: _Optional[_Union[SoundTrack, _Mapping]] = ..., track_count: _Optional[int] = ..., container: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ..., recording_warnings: _Optional[_Iterable[_Union[_media_pb2.RecordingWarning, _Mapping]]] = ..., clock_offset_s: _Optional[float] = ..., sound_codec: _Optional[str] = ..., picture_codec: _Optional[str] = ..., sound_track_count: _Optional[int] = ..., picture_track_count: _Optional[int] = ...) -> None: ...

class PictureTrack(_message.Message):
    __slots__ = ("width_px", "height_px", "frame_rate_hz", "duration_s", "packet_count", "codec")
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    FRAME_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    PACKET_COUNT_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    width_px: int
    height_px: int
    frame_rate_hz: float
    duration_s: float
    packet_count: int
    codec: str
    def __init__(self, width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., frame_rate_hz: _Optional[float] = ..., duration_s: _Optional[float] = ..., packet_count: _Optional[int] = ..., codec: _Optional[str] = ...) -> None: ...

class SoundTrack(_message.Message):
    __slots__ = ("duration_s", "loudness_ratio", "peak_ratio", "clipping_ratio", "loud_ratio", "quiet_ratio", "corrupt_packet_count", "codec", "sample_rate_hz", "heard_s")
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    LOUDNESS_RATIO_FIELD_NUMBER: _ClassVar[int]
    PEAK_RATIO_FIELD_NUMBER: _ClassVar[int]
    CLIPPING_RATIO_FIELD_NUMBER: _ClassVar[int]
    LOUD_RATIO_FIELD_NUMBER: _ClassVar[int]
    QUIET_RATIO_FIELD_NUMBER: _ClassVar[int]
    CORRUPT_PACKET_COUNT_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    HEARD_S_FIELD_NUMBER: _ClassVar[int]
    duration_s: float
    loudness_ratio: float
    peak_ratio: float
    clipping_ratio: float
    loud_ratio: float
    quiet_ratio: float
    corrupt_packet_count: int
    codec: str
    sample_rate_hz: int
    heard_s: float
    def __init__(self, duration_s: _Optional[float] = ..., loudness_ratio: _Optional[float] = ..., peak_ratio: _Optional[float] = ..., clipping_ratio: _Optional[float] = ..., loud_ratio: _Optional[float] = ..., quiet_ratio: _Optional[float] = ..., corrupt_packet_count: _Optional[int] = ..., codec: _Optional[str] = ..., sample_rate_hz: _Optional[int] = ..., heard_s: _Optional[float] = ...) -> None: ...

class LanguageTranslation(_message.Message):
    __slots__ = ("language_code", "translations")
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    language_code: str
    translations: _containers.RepeatedCompositeFieldContainer[_translator_pb2.Translation]
    def __init__(self, language_code: _Optional[str] = ..., translations: _Optional[_Iterable[_Union[_translator_pb2.Translation, _Mapping]]] = ...) -> None: ...

class AnswerTranslations(_message.Message):
    __slots__ = ("languages", "billed_character_count", "model", "prompt_digest")
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    BILLED_CHARACTER_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    languages: _containers.RepeatedCompositeFieldContainer[LanguageTranslation]
    billed_character_count: int
    model: _media_pb2.ModelInfo
    prompt_digest: str
    def __init__(self, languages: _Optional[_Iterable[_Union[LanguageTranslation, _Mapping]]] = ..., billed_character_count: _Optional[int] = ..., model: _Optional[_Union[_media_pb2.ModelInfo, _Mapping]] = ..., prompt_digest: _Optional[str] = ...) -> None: ...
