"""Receives an upload: multipart straight into spool files, every limit enforced while bytes arrive.

What the form parsers of web frameworks do (spool first, check afterwards) would let one client fill the
disk. Nothing stays on disk when `receive` is left, whatever the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from chassis.containers import MIN_SNIFF_BYTES, SNIFF_BYTES, sniff_extension
from chassis.errors import InvalidInputError
from chassis.scratch import scratch_folder
from gateway.uploads.forms import ORIGINAL_FIELD, ReceivedForm, Spool, UploadLimits, spool_errors
from gateway.uploads.texts import check_extension, display_name, part_parameter

FILE_FIELDS = (ORIGINAL_FIELD, "files")
"""Form fields that hold recordings: the original's and the design document's."""
FLUSH_BYTES = 262_144
"""Bytes that are gathered before a thread writes and hashes them: what an upload has in memory."""

OnSpool = Callable[[Spool, int, Sequence[tuple[str, str]]], None]
"""Is told that a file begins to arrive: where it goes, its number from 1 on, and the fields before it."""
CheckField = Callable[[str, str], None]
"""Takes a text field's name and value."""


@asynccontextmanager
async def receive_form(
    content_type: str,
    chunks: AsyncIterator[bytes],
    limits: UploadLimits,
    spool_dir: Path | None = None,
    check_field: CheckField = lambda _name, _value: None,
    on_spool: OnSpool = lambda _spool, _number, _fields: None,
) -> AsyncIterator[ReceivedForm]:
    """Read a multipart body into a form whose files live as long as the block.

    Args:
        content_type: The request's header.
        chunks: The body.
        limits: What it may bring.
        spool_dir: Folder for the files. None: the system's.
        check_field: Is called with each text field as it arrives, and raises where it is wrong: a browser
            sends the fields first, so that nobody uploads 500 MB to be told of a wrong language.
        on_spool: Is told of each file that begins to arrive.

    Raises:
        InvalidInputError: The body is not a form, or a limit is passed, or a file is not a video.
        UnavailableError: It can't be kept on this disk (`SPOOL_FULL`, `SPOOL_UNAVAILABLE`).
    """
    boundary = _boundary(content_type)
    with ExitStack() as held:
        with spool_errors():
            folder = held.enter_context(scratch_folder(spool_dir))
        reader = held.enter_context(closing(_FormReader(boundary, limits, folder, check_field, on_spool)))
        async for chunk in chunks:
            with spool_errors():
                reader.feed(chunk)
                if reader.waiting_bytes >= FLUSH_BYTES:
                    await asyncio.to_thread(reader.flush)
        with spool_errors():
            await asyncio.to_thread(reader.flush)
            form = reader.finish()
        yield form


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise InvalidInputError(
            "Send the videos as multipart/form-data, with a boundary.", reason="CONTENT_TYPE_UNSUPPORTED"
        )
    return options[b"boundary"]


class _FormReader:
    """Feeds a multipart parser and keeps count. Its callbacks never touch the disk but to open a file."""

    def __init__(
        self,
        boundary: bytes,
        limits: UploadLimits,
        folder: Path,
        check_field: CheckField,
        on_spool: OnSpool,
    ) -> None:
        self._on_spool = on_spool
        self._limits = limits
        self._check_field = check_field
        self._folder = folder
        self._total_bytes = 0
        self._spools: list[Spool] = []
        self._fields: list[tuple[str, str]] = []
        self._waiting: list[tuple[Spool, bytes]] = []
        self.waiting_bytes = 0
        self._ended = False
        self._header_name = b""
        self._header_value = b""
        self._disposition = b""
        self._field = ""
        self._value = bytearray()
        self._spool: Spool | None = None
        self._discarding = False
        self._parser = self._open_parser(boundary)

    def _open_parser(self, boundary: bytes) -> MultipartParser:
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
            )
        except FormParserError:
            raise _malformed() from None

    def feed(self, chunk: bytes) -> None:
        """Parse the next bytes of the body."""
        self._total_bytes += len(chunk)
        if self._total_bytes > self._limits.max_total_bytes:
            raise InvalidInputError(
                f"Upload too large. Max: {_megabytes(self._limits.max_total_bytes)} MB in all."
                " Send fewer or smaller videos.",
                reason="UPLOAD_TOO_LARGE",
            )
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise _malformed() from None

    def flush(self) -> None:
        """Write what is waiting. Blocking. Called in a thread."""
        for spool, data in self._waiting:
            spool.write(data)
        for spool in {id(spool): spool for spool, _ in self._waiting}.values():
            spool.settle()
        self._waiting.clear()
        self.waiting_bytes = 0

    def finish(self) -> ReceivedForm:
        """Return the form, once all bytes have come and are flushed."""
        if not self._ended:
            raise _malformed()
        self.close()
        return ReceivedForm(tuple(spool.received() for spool in self._spools), tuple(self._fields))

    def close(self) -> None:
        """Close the files."""
        for spool in self._spools:
            spool.close()

    def _on_part_begin(self) -> None:
        self._disposition = b""
        self._value = bytearray()
        self._spool = None
        self._discarding = False

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        field = part_parameter(self._disposition, "name")
        if field is None:
            raise _malformed()
        self._field = field
        file_name = part_parameter(self._disposition, "filename")
        if file_name is None:
            self._begin_text()
        elif self._field in FILE_FIELDS:
            with self._refusals_name(len(self._spools)):
                self._begin_file(file_name)
        else:
            self._discarding = True  # as FastAPI does with a file nobody asked for; it still counts

    def _begin_text(self) -> None:
        if len(self._fields) >= self._limits.max_field_count:
            raise InvalidInputError(
                f"Too many form fields. Max: {self._limits.max_field_count}. Leave some out.",
                reason="TOO_MANY_FIELDS",
            )

    def _begin_file(self, file_name: str) -> None:
        if len(self._spools) >= self._limits.max_file_count:
            raise InvalidInputError(
                f"Too many videos. Max: {self._limits.max_file_count} a session."
                " Send the others in another session.",
                reason="TOO_MANY_FILES",
            )
        name = display_name(file_name)
        extension = check_extension(name)
        path = self._folder / str(len(self._spools) + 1)
        self._spool = Spool(self._field, name, extension, path)
        self._spools.append(self._spool)
        self._on_spool(self._spool, len(self._spools), tuple(self._fields))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._spool is not None:
            with self._refusals_name(len(self._spools) - 1):
                self._add_to_file(self._spool, data[start:end])
        elif not self._discarding:
            self._value += data[start:end]
            if len(self._value) > self._limits.max_field_bytes:
                raise InvalidInputError(
                    f"A form field is too long. Max: {self._limits.max_field_bytes} bytes. Shorten it."
                    " A recording has to be sent with a file name.",
                    reason="FIELD_TOO_LARGE",
                )

    def _add_to_file(self, spool: Spool, data: bytes) -> None:
        spool.size_bytes += len(data)
        if spool.size_bytes > self._limits.max_file_bytes:
            limit = _megabytes(self._limits.max_file_bytes)
            raise InvalidInputError(
                f"File too large: video {len(self._spools)} has more than {limit} MB. Max: {limit} MB."
                " Export it smaller.",
                reason="FILE_TOO_LARGE",
            )
        if len(spool.head) < SNIFF_BYTES:
            spool.head += data[: SNIFF_BYTES - len(spool.head)]
            if len(spool.head) == SNIFF_BYTES:
                _check_container(spool.head, len(self._spools))
        self._waiting.append((spool, data))
        self.waiting_bytes += len(data)

    def _on_part_end(self) -> None:
        if self._spool is not None:
            with self._refusals_name(len(self._spools) - 1):
                self._end_file(self._spool)
        elif not self._discarding:
            text = self._value.decode("utf-8", "replace")
            self._check_field(self._field, text)
            self._fields.append((self._field, text))

    def _end_file(self, spool: Spool) -> None:
        if spool.size_bytes == 0:
            raise InvalidInputError(
                f"Video {len(self._spools)} is empty. Choose the file again.", reason="FILE_EMPTY"
            )
        if len(spool.head) < SNIFF_BYTES:
            _check_container(spool.head, len(self._spools))
        spool.has_ended = True

    @contextmanager
    def _refusals_name(self, index: int) -> Iterator[None]:
        """Let a refusal name its file by its place from 0, so that a page can show it there."""
        try:
            yield
        except InvalidInputError as error:
            place = f"{self._field}[{index}]"
            raise InvalidInputError(
                error.message, reason=error.reason, fields={place: error.message}
            ) from None

    def _on_end(self) -> None:
        self._ended = True


def _check_container(head: bytes, number: int) -> None:
    if len(head) < MIN_SNIFF_BYTES or sniff_extension(head) is None:
        raise InvalidInputError(
            f"Video {number} is not a video, though its name says so. Send mp4, avi, mov, mkv or webm.",
            reason="NOT_A_VIDEO",
        )


def _malformed() -> InvalidInputError:
    return InvalidInputError(
        "The form is incomplete or malformed. Send all of it again as multipart/form-data.",
        reason="MULTIPART_INVALID",
    )


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:g}"
