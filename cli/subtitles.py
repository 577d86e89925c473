"""Renders a transcript of a result document as SRT or WebVTT. Pure: no files, no gateway.

A cue has at most two lines of 42 characters and lasts at most 7 s, which is what subtitle guides ask for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli.gateway_client import Json

MAX_LINE_CHARS = 42
MAX_CUE_LINES = 2
MAX_CUE_S = 7.0
"""Longer than that and people read a cue twice."""
MAX_PAUSE_S = 1.5
"""A longer pause between words ends a cue, so that nothing stands there in silence."""
MIN_CUE_S = 1.0
"""A shorter cue can't be read. It stays on until the next one begins, at most."""
SENTENCE_ENDS = (".", "?", "!", "。", "？", "！")
MILLISECONDS_PER_S = 1000


@dataclass(frozen=True)
class Cue:
    """A text of at most two lines, and when it is shown."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]


@dataclass(frozen=True)
class _TimedWord:
    start_s: float
    end_s: float
    text: str


def cues_of(transcript: Json, language: str | None = None) -> list[Cue]:
    """Return the cues of a transcript, in the language it was spoken in or in a translation.

    The words' own times are used for what was said. A translation has none: its words share their
    segment's time by their length. A segment without a translation has no cue.
    """
    cues: list[Cue] = []
    for segment in transcript.get("segments") or []:
        cues += _cues(_words(segment, language))
    return _readable(cues)


def to_srt(cues: Sequence[Cue]) -> str:
    """Return the cues as SubRip."""
    blocks = [
        f"{number}\n{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}\n" + "\n".join(cue.lines) + "\n"
        for number, cue in enumerate(cues, start=1)
    ]
    return "\n".join(blocks)


def to_vtt(cues: Sequence[Cue]) -> str:
    """Return the cues as WebVTT, whose text may hold no markup of the speaker's."""
    blocks = [
        f"{_clock(cue.start_s, '.')} --> {_clock(cue.end_s, '.')}\n"
        + "\n".join(map(_escaped, cue.lines))
        + "\n"
        for cue in cues
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _words(segment: Json, language: str | None) -> list[_TimedWord]:
    if language is None or language == segment.get("language"):
        timed = [
            _TimedWord(float(word["start_s"]), float(word["end_s"]), " ".join(str(word["text"]).split()))
            for word in segment.get("words") or []
        ]
        return [piece for word in timed if word.text for piece in _pieces(word)]
    translated = (segment.get("translations") or {}).get(language) or {}
    whole = _TimedWord(float(segment["start_s"]), float(segment["end_s"]), str(translated.get("text") or ""))
    return [piece for word in _shared(whole, whole.text.split()) for piece in _pieces(word)]


def _pieces(word: _TimedWord) -> list[_TimedWord]:
    """Cut what fits on no line: scripts without spaces, and mishearings."""
    cut = [word.text[i : i + MAX_LINE_CHARS] for i in range(0, len(word.text), MAX_LINE_CHARS)]
    return _shared(word, cut)


def _shared(whole: _TimedWord, texts: Sequence[str]) -> list[_TimedWord]:
    """Share a stretch of time between texts, by their length."""
    chars = sum(map(len, texts))
    shared: list[_TimedWord] = []
    start_s = whole.start_s
    for text in texts:
        end_s = start_s + (whole.end_s - whole.start_s) * len(text) / chars
        shared.append(_TimedWord(start_s, end_s, text))
        start_s = end_s
    return shared


def _cues(words: Sequence[_TimedWord]) -> Iterator[Cue]:
    """Cut one segment's words into cues: at the ends of sentences, at pauses, and where the room ends."""
    current: list[_TimedWord] = []
    for word in words:
        if current and _ends_before(current, word):
            yield _cue(current)
            current = []
        current.append(word)
    if current:
        yield _cue(current)


def _ends_before(current: Sequence[_TimedWord], word: _TimedWord) -> bool:
    return (
        current[-1].text.endswith(SENTENCE_ENDS)
        or word.start_s - current[-1].end_s > MAX_PAUSE_S
        or word.end_s - current[0].start_s > MAX_CUE_S
        or _lines([*current, word]) is None
    )


def _cue(words: Sequence[_TimedWord]) -> Cue:
    lines = _lines(words)
    return Cue(words[0].start_s, words[-1].end_s, lines or ())


def _lines(words: Sequence[_TimedWord]) -> tuple[str, ...] | None:
    """Return the words on one line, or on the two that differ least in length. None where they don't fit."""
    texts = [word.text for word in words]
    whole = " ".join(texts)
    if len(whole) <= MAX_LINE_CHARS:
        return (whole,)
    halves = [(" ".join(texts[:at]), " ".join(texts[at:])) for at in range(1, len(texts))]
    fitting = [half for half in halves if max(map(len, half)) <= MAX_LINE_CHARS]
    return min(fitting, key=lambda half: abs(len(half[0]) - len(half[1])), default=None)


def _readable(cues: Sequence[Cue]) -> list[Cue]:
    """Keep short cues on screen for a while, but never over the next one."""
    starts_s = [cue.start_s for cue in cues[1:]] + [float("inf")]
    return (
        [
            Cue(cue.start_s, max(cue.end_s, min(cue.start_s + MIN_CUE_S, next_s)), cue.lines)
            for cue, next_s in zip(cues, starts_s, strict=True)
        ]
        if cues
        else []
    )


def _clock(time_s: float, decimal_mark: str) -> str:
    whole_ms = round(time_s * MILLISECONDS_PER_S)
    minutes, ms = divmod(whole_ms, 60 * MILLISECONDS_PER_S)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{ms // 1000:02}{decimal_mark}{ms % 1000:03}"


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
