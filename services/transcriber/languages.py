"""Language codes: what callers write (BCP-47) and what Whisper calls it."""

from __future__ import annotations

from collections.abc import Collection

from chassis.errors import InvalidInputError

WHISPER_CODES = {"jv": "jw", "nb": "no", "fil": "tl", "iw": "he", "in": "id", "cmn": "zh"}
"""BCP-47 subtags that Whisper knows under another name."""
BCP47_CODES = {"jw": "jv"}
"""Whisper's names that are not BCP-47."""


def to_whisper_code(language_code: str, known_codes: Collection[str]) -> str:
    """Return Whisper's code for a BCP-47 tag such as `id`, `en-US` or `zh-Hans`.

    Raises:
        InvalidInputError: The model does not know that language (`LANGUAGE_UNSUPPORTED`).
    """
    primary = language_code.strip().replace("_", "-").split("-")[0].lower()
    code = WHISPER_CODES.get(primary, primary)
    if code in known_codes:
        return code
    allowed = ", ".join(sorted(to_bcp47_code(known) for known in known_codes))
    raise InvalidInputError(
        f"The loaded model does not understand this language; use one of: {allowed}; or leave it empty.",
        reason="LANGUAGE_UNSUPPORTED",
        fields={"language_code": f"one of: {allowed}"},
    )


def to_bcp47_code(whisper_code: str) -> str:
    """Return the BCP-47 code for one of Whisper's."""
    return BCP47_CODES.get(whisper_code, whisper_code)
