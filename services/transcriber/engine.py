"""Turns a recording into a transcript: decode, find speech, write it down, check what was written.

Blocking Python without transport. Everything that a reader should doubt is flagged, nothing dropped.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event as StopEvent

import numpy as np

from chassis.decoding.decoder import Decoder
from chassis.playback.recording_warnings import RecordingWarning
from services.transcriber.audio import Samples, Sound, check, cut, load_sound
from services.transcriber.decoding import DecodeRequest, Piece, SpeechModel, Task
from services.transcriber.guards import GuardRules, flag_loops, flags_of, uncovered_s
from services.transcriber.languages import to_bcp47_code, to_whisper_code
from services.transcriber.limits import check_beam_size, check_hint, hint_warnings
from services.transcriber.pieces import cut_into_pieces
from services.transcriber.placing import placed
from services.transcriber.speech import (
    SpeechDetector,
    SpeechRules,
    blocks_to_decode,
    find_speech,
    total_s,
    whole_blocks,
)
from services.transcriber.spoken_languages import LanguageFinder, Part, lost_parts
from services.transcriber.transcript import (
    Event,
    Progress,
    Segment,
    Span,
    Transcript,
    TranscriptOutcome,
    Word,
    main_language,
)
from services.transcriber.word_times import JoinedClock


@dataclass(frozen=True)
class TranscribeOptions:
    """What a caller may choose."""

    language_code: str = ""
    """BCP-47. Empty detects it."""
    task: Task = "transcribe"
    beam_size: int | None = None
    """None takes the service's setting."""
    hotwords: str = ""
    prompt: str = ""
    vad_disabled: bool = False
    """True lets the model hear the pauses too. Where nobody speaks there are no words either way."""


@dataclass(frozen=True)
class _Hearing:
    """A recording and where somebody speaks in it."""

    samples: Samples
    duration_s: float
    speech: Sequence[Span]
    """Tight spans, to measure with."""
    blocks: Sequence[Sequence[Span]]
    """What the model hears, one block after the other: the same with padding and pauses. Empty where nobody
    speaks: the model would invent words there."""
    warnings: tuple[RecordingWarning, ...] = ()
    """What a reader should know about the recording."""


class Transcriber:
    """Writes down what is said in recordings.

    Args:
        model: Turns speech into words.
        detector: Says where somebody speaks.
        beam_size: Candidates kept while decoding, unless the caller says otherwise.
        max_duration_s: Longest recording.
        speech_rules: When sound counts as speech.
        guard_rules: When a segment is flagged.
        expected_language_codes: Languages that detection believes sooner than the rest (BCP-47).
        decoder: Decodes sound. None: a child process a recording.

    Raises:
        InvalidInputError: The model does not know one of these languages (`LANGUAGE_UNSUPPORTED`).
    """

    def __init__(
        self,
        model: SpeechModel,
        detector: SpeechDetector,
        *,
        beam_size: int = 5,
        max_duration_s: float = 7200.0,
        speech_rules: SpeechRules | None = None,
        guard_rules: GuardRules | None = None,
        expected_language_codes: Collection[str] = (),
        decoder: Decoder | None = None,
    ) -> None:
        self._model = model
        self._detector = detector
        self._beam_size = beam_size
        self._max_duration_s = max_duration_s
        self._decoder = decoder
        self._speech_rules = speech_rules or SpeechRules()
        self._guard_rules = guard_rules or GuardRules()
        expected = [to_whisper_code(code, model.language_codes) for code in expected_language_codes]
        self._languages = LanguageFinder(model, expected)

    @property
    def language_codes(self) -> list[str]:
        """Languages that the model understands (BCP-47), sorted."""
        return sorted(to_bcp47_code(code) for code in self._model.language_codes)

    def transcribe(self, recording: Path, options: TranscribeOptions, stop: StopEvent) -> Iterator[Event]:
        """Yield progress and segments as they are decoded, and the transcript last.

        Flags of the segments in the transcript are final: a loop over several segments shows late. A segment
        may come after a later one: a stretch in another language that was lost at first.

        Raises:
            InvalidInputError: The options are wrong (`LANGUAGE_UNSUPPORTED`, `BEAM_SIZE_INVALID`,
                `HOTWORDS_TOO_LONG`, `PROMPT_TOO_LONG`) or the recording is (`MEDIA_UNDECODABLE`,
                `MEDIA_NO_AUDIO`, `MEDIA_TOO_LONG`, `MEDIA_TOO_COMPLEX`, `MEDIA_DECODER_FAILED`).
            CancelledCallError: `stop` was set (`CANCELLED`).
        """
        begin_s = time.perf_counter()
        request = self._request(options)
        sound = load_sound(recording, self._max_duration_s, stop, self._decoder)
        hearing = self._hear(sound, stop, whole=options.vad_disabled)
        yield Progress(0.0, hearing.duration_s)
        segments: list[Segment] = []
        for segment in self._segments(hearing, request, stop):
            segments.append(segment)
            yield segment
            yield Progress(segment.end_s, hearing.duration_s)
        yield Progress(hearing.duration_s, hearing.duration_s)
        took_s = time.perf_counter() - begin_s
        segments.sort(key=lambda segment: segment.start_s)
        yield self._transcript(hearing, flag_loops(segments), took_s, hint_warnings(options, request))

    def check(self, options: TranscribeOptions) -> None:
        """Refuse wrong options. A caller learns of them before its recording is received.

        Raises:
            InvalidInputError: `LANGUAGE_UNSUPPORTED`, `BEAM_SIZE_INVALID`, `HOTWORDS_TOO_LONG`,
                `PROMPT_TOO_LONG`.
        """
        check_beam_size(self._beam_size_of(options))
        check_hint("hotwords", options.hotwords)
        check_hint("prompt", options.prompt)
        self._language_of(options)

    def _request(self, options: TranscribeOptions) -> DecodeRequest:
        self.check(options)
        return DecodeRequest(
            language_code=self._language_of(options),
            task=options.task,
            beam_size=self._beam_size_of(options),
            hotwords=self._model.fitting(options.hotwords),
            prompt=self._model.fitting(options.prompt),
        )

    def _beam_size_of(self, options: TranscribeOptions) -> int:
        return self._beam_size if options.beam_size is None else options.beam_size

    def _language_of(self, options: TranscribeOptions) -> str | None:
        code = options.language_code.strip()
        return to_whisper_code(code, self._model.language_codes) if code else None

    def _hear(self, sound: Sound, stop: StopEvent, *, whole: bool) -> _Hearing:
        samples, duration_s = sound.samples, sound.duration_s
        rules, found = self._speech_rules, [np.zeros(0, np.float32)]
        for block in self._detector.probabilities(samples):
            check(stop)
            found.append(block)
        speech = find_speech(np.concatenate(found), duration_s, rules)
        blocks = whole_blocks(speech, duration_s) if whole else blocks_to_decode(speech, duration_s, rules)
        return _Hearing(samples, duration_s, speech, blocks, sound.warnings)

    def _segments(self, hearing: _Hearing, request: DecodeRequest, stop: StopEvent) -> Iterator[Segment]:
        floor_s = 0.0
        for part in self._parts(hearing, request, stop):
            words: list[Word] = []
            for segment in self._decoded(hearing, part, Span(floor_s, hearing.duration_s), request, stop):
                floor_s = segment.end_s
                words.extend(segment.words)
                yield segment
            for lost in lost_parts(part, words):
                yield from self._decoded(hearing, lost, lost.spans[0], request, stop)

    def _decoded(
        self, hearing: _Hearing, part: Part, bounds: Span, request: DecodeRequest, stop: StopEvent
    ) -> Iterator[Segment]:
        """Decode one part, piece by piece. Its words lie inside `bounds`."""
        for spans in cut_into_pieces(hearing.samples, part.spans, hearing.speech):
            clock = JoinedClock(spans)
            heard = np.concatenate([cut(hearing.samples, span) for span in spans])
            piece = Piece(heard, clock.joined(hearing.speech))
            for decoded in self._model.decode(piece, part.language_code, request, stop):
                check(stop)
                if not decoded.text.strip():
                    continue
                segment = placed(decoded, part, clock, bounds)
                bounds = Span(segment.end_s, bounds.end_s)
                yield replace(segment, flags=flags_of(segment, hearing.speech, self._guard_rules))

    def _parts(self, hearing: _Hearing, request: DecodeRequest, stop: StopEvent) -> Iterator[Part]:
        """Yield what is decoded in one language, block by block: the first words come early."""
        known = request.language_code or _only(self._model.language_codes)
        before: str | None = None
        for block in hearing.blocks:
            if known:
                yield Part(block, known, None)
                continue
            parts = self._languages.parts(hearing.samples, block, hearing.speech, before, stop)
            before = parts[-1].language_code
            yield from parts

    def _transcript(
        self, hearing: _Hearing, segments: tuple[Segment, ...], took_s: float, warnings: list[str]
    ) -> Transcript:
        words = [word for segment in segments for word in segment.words]
        language_code, language_probability = main_language(segments)
        speech_s, without_words_s = total_s(hearing.speech), uncovered_s(words, hearing.speech)
        return Transcript(
            segments=segments,
            language_code=language_code,
            language_probability=language_probability,
            duration_s=hearing.duration_s,
            speech_s=speech_s,
            uncovered_speech_s=without_words_s,
            real_time_factor_ratio=took_s / hearing.duration_s if hearing.duration_s else 0.0,
            mean_word_probability=_mean([word.probability for word in words if word.probability is not None]),
            outcome=_outcome(speech_s, segments),
            warnings=(*warnings, *self._warnings(segments, speech_s, without_words_s)),
            recording_warnings=hearing.warnings,
        )

    def _warnings(
        self, segments: tuple[Segment, ...], speech_s: float, without_words_s: float
    ) -> Iterator[str]:
        if without_words_s > self._guard_rules.max_uncovered_ratio * speech_s:
            yield (
                f"{without_words_s:.1f} of {speech_s:.1f} seconds of detected speech have no words. "
                "Something may be missing from the transcript."
            )
        flagged_count = sum(1 for segment in segments if segment.flags)
        if flagged_count:
            yield f"Doubtful segments are left out of scoring: {flagged_count} of {len(segments)}."


def _only(language_codes: Collection[str]) -> str | None:
    """Return the language of a model that knows just one."""
    return next(iter(language_codes)) if len(language_codes) == 1 else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _outcome(speech_s: float, segments: Sequence[Segment]) -> TranscriptOutcome:
    if segments:
        return TranscriptOutcome.OK
    return TranscriptOutcome.INSUFFICIENT_EVIDENCE if speech_s > 0 else TranscriptOutcome.NO_SPEECH
