"""What DeepL's refusals and failures mean, by their HTTP status."""

from __future__ import annotations

from http import HTTPStatus

from chassis.errors import (
    ExhaustedError,
    InterviewError,
    InvalidInputError,
    PreconditionError,
    UnavailableError,
)

AUTH_STATUSES = (401, 403)
QUOTA_STATUS = 456


def failure_of(status: int | None, message: str, *, with_glossary: bool) -> InterviewError:
    """Return the error that DeepL's answer amounts to.

    Args:
        status: Its HTTP status. None where it did not answer.
        message: What it says. It may quote a text, so it is only searched and never passed on.
        with_glossary: Whether a glossary was asked for.
    """
    if status in AUTH_STATUSES:
        return PreconditionError(
            "DeepL refuses the configured key. Check DEEPL_API_KEY and TRANSLATOR_DEEPL_SERVER_URL.",
            reason="TRANSLATOR_AUTH_FAILED",
        )
    if status == QUOTA_STATUS:
        return ExhaustedError(
            "The DeepL account's characters are used up. Wait for its next period or raise its limit.",
            reason="TRANSLATOR_QUOTA_EXCEEDED",
        )
    if status is None:
        return unavailable("DeepL could not be reached, or did not answer in time")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return unavailable("DeepL is asked too often")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return unavailable(f"DeepL failed (HTTP {status})")
    return _refusal(message.lower(), status, with_glossary=with_glossary)


def unavailable(what: str) -> UnavailableError:
    """Return the error of a server that may be asked again later."""
    return UnavailableError(f"{what}. Try again later.", reason="TRANSLATOR_UNAVAILABLE")


def _refusal(message: str, status: int, *, with_glossary: bool) -> InterviewError:
    # One without a dictionary for the two languages is refused in words that name them as well.
    about_glossary = "glossary" in message or "dictionary" in message or status == HTTPStatus.NOT_FOUND
    if with_glossary and about_glossary:
        advice = "Send one that DeepL holds for these two languages"
        return InvalidInputError(
            f"DeepL does not take this glossary. {advice}.",
            reason="GLOSSARY_REFUSED",
            fields={"glossary_id": advice},
        )
    for field, code in (("source_lang", "source_language_code"), ("target_lang", "target_language_code")):
        if field in message:
            advice = "Choose a language that GetCapabilities lists"
            return InvalidInputError(
                f"DeepL does not take this {code}. {advice}.",
                reason="LANGUAGE_UNSUPPORTED",
                fields={code: advice},
            )
    return PreconditionError(
        f"DeepL refused the request (HTTP {status}). Check TRANSLATOR_DEEPL_SERVER_URL.",
        reason="TRANSLATOR_REFUSED",
    )
