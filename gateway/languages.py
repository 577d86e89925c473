"""Languages that an upload may name: what clients write, and what the loaded model understands."""

from __future__ import annotations

import re
from collections.abc import Sequence

import langcodes
from langcodes.tag_parser import LanguageTagError

DETECT = "auto"
"""Leaves the language to the transcriber."""

# fmt: off
SPOKEN_LANGUAGES: tuple[str, ...] = (
    "en", "id", "af", "am", "ar", "as", "az", "ba", "be", "bg", "bn", "bo", "br", "bs", "ca", "cs",
    "cy", "da", "de", "el", "es", "et", "eu", "fa", "fi", "fo", "fr", "gl", "gu", "ha", "haw", "he",
    "hi", "hr", "ht", "hu", "hy", "is", "it", "ja", "jv", "ka", "kk", "km", "kn", "ko", "la", "lb",
    "ln", "lo", "lt", "lv", "mg", "mi", "mk", "ml", "mn", "mr", "ms", "mt", "my", "ne", "nl", "nn",
    "no", "oc", "pa", "pl", "ps", "pt", "ro", "ru", "sa", "sd", "si", "sk", "sl", "sn", "so", "sq",
    "sr", "su", "sv", "sw", "ta", "te", "tg", "th", "tk", "tl", "tr", "tt", "uk", "ur", "uz", "vi",
    "yi", "yo", "zh",
)
# fmt: on
"""Languages of every multilingual Whisper model. They are offered while the transcriber can't be asked."""
FIRST = ("en", "id")
"""Languages that lists begin with."""

_TAG = re.compile(r"([a-z]{2,3})(?:-([a-z]{3}))?(?:-[a-z0-9]{1,8})*")
"""A language, an extended language as in `zh-yue`, and script, region and the like (RFC 5646 §2.1)."""
_BROADER = {"nb": "no"}
"""Bokmål is Norwegian, which CLDR does not say: to CLDR it is the other way round."""


def offered_languages(allowed: Sequence[str], understood: Sequence[str]) -> tuple[str, ...]:
    """Return the languages that an upload may name, English and Indonesian first.

    Args:
        allowed: What the operator restricts uploads to. None: no restriction.
        understood: What the loaded model understands. None where nobody can tell.
    """
    if not understood:
        return tuple(allowed) or SPOKEN_LANGUAGES
    chosen = (
        {code for tag in allowed if (code := find_language(tag, understood))} if allowed else set(understood)
    )
    return tuple(sorted(chosen, key=lambda code: (code not in FIRST, code)))


def find_language(tag: str, offered: Sequence[str]) -> str | None:
    """Return the offered language that a tag means, or None.

    Region and script don't matter (`id-ID`, `zh_Hant`), nor do old and longer codes (`in`, `iw`, `ind`).
    A language stands for the broader one where only that is offered (`nb` for `no`, `cmn` for `zh`).

    Args:
        tag: A language tag (BCP-47). Underscores are understood.
        offered: Languages to choose from, by BCP-47 or by Whisper's names (`jw`).
    """
    match = _TAG.fullmatch(tag.strip().lower().replace("_", "-"))
    if match is None:
        return None
    language = _canonical(match[2] or match[1])
    by_language = {_canonical(code): code for code in offered}
    broader = _BROADER.get(language) or langcodes.Language.get(language).prefer_macrolanguage().language
    return by_language.get(language) or by_language.get(broader or "")


def _canonical(code: str) -> str:
    # One subtag at a time: `langcodes` keeps every tag that it has seen, and clients can make up many.
    try:
        return langcodes.Language.get(code).language or code
    except LanguageTagError:  # an operator's own list may hold anything
        return code
