"""Turns a recording into a transcript: decode, find speech, write it down, check what was written.

Blocking Python without transport. Everything that a reader should doubt is flagged, nothing dropped.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event as StopEvent

from chassis.decoding.decoder import Decoder
from chassis.growing import is_growing
from chassis.playback.recording_warnings import in_order
from services.transcriber.audio import ArrivingSound, Samples, check, check_sound
from services.transcriber.decoding import DecodeRequest, SpeechModel, Task
from services.transcriber.guards import GuardRules, flag_loops, uncovered_s
from services.transcriber.heard_before import HeardBefore
from services.transcriber.hearing import Hearing, Listener
from services.transcriber.kept_sound import KeptSound
from services.transcriber.language_check import LanguageCheck, OnContradiction
from services.transcriber.languages import to_bcp47_code, to_whisper_code
from services.transcriber.limits import check_beam_size, check_hint, hint_warnings
from services.transcriber.speech import SpeechDetector, SpeechRules, total_s
from services.transcriber.spoken_languages import LanguageFinder
from services.transcriber.transcript import (
    Event,
    Progress,
    Segment,
    Transcript,
    TranscriptOutcome,
    main_language,
)
from services.transcriber.writing import EarlyWriter, Writer


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
        on_contradiction: What follows where a recording plainly sounds like another language than was named.
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
        on_contradiction: OnContradiction = "warn",
        decoder: Decoder | None = None,
    ) -> None:
        self._model = model
        self._detector = detector
        self._beam_size = beam_size
        self._max_duration_s = max_duration_s
        self._on_contradiction = on_contradiction
        self._decoder = decoder
        self._speech_rules = speech_rules or SpeechRules()
        self._guard_rules = guard_rules or GuardRules()
        self._expected = [to_whisper_code(code, model.language_codes) for code in expected_language_codes]

    @property
    def language_codes(self) -> list[str]:
        """Languages that the model understands (BCP-47), sorted."""
        return sorted(to_bcp47_code(code) for code in self._model.language_codes)

    def transcribe(self, recording: Path, options: TranscribeOptions, stop: StopEvent) -> Iterator[Event]:
        """Yield progress and segments as they are decoded, and the transcript last.

        Flags of the segments in the transcript are final: a loop over several segments shows late. A segment
        may come after a later one: a stretch in another language that was lost at first. Of a recording that
        still grows come provisional segments. The transcript is that of the whole recording, word for word.

        Raises:
            InvalidInputError: The options are wrong (`LANGUAGE_UNSUPPORTED`, `BEAM_SIZE_INVALID`,
                `HOTWORDS_TOO_LONG`, `PROMPT_TOO_LONG`) or the recording is (`MEDIA_UNDECODABLE`,
                `MEDIA_NO_AUDIO`, `MEDIA_TOO_LONG`, `MEDIA_TOO_COMPLEX`, `MEDIA_DECODER_FAILED`).
            CancelledCallError: `stop` was set (`CANCELLED`).
        """
        request = self._request(options)
        with KeptSound() as kept:
            listener = Listener(self._detector, self._speech_rules, kept, whole=options.vad_disabled)
            yield from self._heard(recording, listener, options, request, stop)

    def _heard(
        self,
        recording: Path,
        listener: Listener,
        options: TranscribeOptions,
        request: DecodeRequest,
        stop: StopEvent,
    ) -> Iterator[Event]:
        """Listen, and write down what is settled while the sound still grows, and then all of it."""
        heard_before = HeardBefore(self._model)
        languages = LanguageFinder(heard_before, self._expected)
        writer = Writer(heard_before, languages, self._guard_rules, request, stop)
        early, waiting = EarlyWriter(writer), _Waiting()
        arriving = ArrivingSound(recording, self._max_duration_s, stop, self._decoder)
        for block in waiting.blocks(recording, arriving):
            check(stop)
            listener.take(block)
            if block is None:
                early.begin_again()
            elif is_growing(recording) and early.is_due(listener.duration_s):
                yield from _with_progress(early.segments(listener.hearing()), None)
        check_sound(arriving)
        listener.finish()
        hearing = listener.hearing(arriving.warnings)
        check_of_language = LanguageCheck(heard_before, self._on_contradiction)
        checked, warnings = check_of_language.checked(hearing, request, stop)
        writer = replace(writer, request=checked)
        hearing = replace(hearing, warnings=in_order([*hearing.warnings, *warnings]))
        yield from self._whole(hearing, writer, early.given, options, waiting)

    def _whole(
        self,
        hearing: Hearing,
        writer: Writer,
        given: Collection[Segment],
        options: TranscribeOptions,
        waiting: _Waiting,
    ) -> Iterator[Event]:
        """Write down all of it. What was heard before costs nothing, and isn't told again."""
        yield Progress(0.0, hearing.duration_s)
        segments: list[Segment] = []
        for segment in writer.segments(hearing):
            segments.append(segment)
            if segment not in given:
                yield from _with_progress([segment], hearing.duration_s)
        yield Progress(hearing.duration_s, hearing.duration_s)
        took_s = waiting.worked_s()
        segments.sort(key=lambda segment: segment.start_s)
        yield self._transcript(hearing, flag_loops(segments), took_s, hint_warnings(options, writer.request))

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

    def _transcript(
        self, hearing: Hearing, segments: tuple[Segment, ...], took_s: float, warnings: list[str]
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


class _Waiting:
    """Tells the time that work took from the time for which it waited for the rest of a recording."""

    def __init__(self) -> None:
        self._begin_s = time.perf_counter()
        self._waited_s = 0.0

    def blocks(self, recording: Path, sound: ArrivingSound) -> Iterator[Samples | None]:
        """Yield the blocks of the sound."""
        blocks = sound.blocks()
        while True:
            begin_s, grows = time.perf_counter(), is_growing(recording)
            try:
                block = next(blocks)
            except StopIteration:
                return
            finally:
                self._waited_s += time.perf_counter() - begin_s if grows else 0.0
            yield block

    def worked_s(self) -> float:
        """Return the seconds since the beginning, without those that were waited."""
        return time.perf_counter() - self._begin_s - self._waited_s


def _with_progress(segments: Iterable[Segment], total_s: float | None) -> Iterator[Event]:
    for segment in segments:
        yield segment
        yield Progress(segment.end_s, total_s)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _outcome(speech_s: float, segments: Sequence[Segment]) -> TranscriptOutcome:
    if segments:
        return TranscriptOutcome.OK
    return TranscriptOutcome.INSUFFICIENT_EVIDENCE if speech_s > 0 else TranscriptOutcome.NO_SPEECH
