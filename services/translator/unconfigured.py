"""The backend that runs when nobody configured one: every translation is absent, and says what to set."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.deadline import Deadline
from chassis.model_info import ModelInfo
from services.translator.job import Job, Languages, Outcome, Translation, Translations, Usage

REASON = (
    "No translation backend is configured. Set DEEPL_API_KEY, or LLM_BASE_URL for an "
    "OpenAI-compatible server."
)


class UnconfiguredBackend:
    """Translates nothing and says so."""

    name = "none"
    prompt_digest = ""
    calls_at_once = 1

    def batches(self, job: Job, wanted: Sequence[int]) -> Sequence[Sequence[int]]:  # noqa: ARG002 - any size will do
        """Everything at once."""
        return (wanted,)

    def context_of(self, job: Job, index: int) -> str:  # noqa: ARG002 - nothing is translated
        """None."""
        return ""

    def translate(self, job: Job, batch: Sequence[int], deadline: Deadline) -> Translations:  # noqa: ARG002 - asks nobody
        """Return an absent translation for each text."""
        absent = Translation.absent(Outcome.NOT_CONFIGURED, REASON)
        return Translations((absent,) * len(batch), billed_character_count=0)

    def languages(self, deadline: Deadline) -> Languages:  # noqa: ARG002 - asks nobody
        """None."""
        return Languages()

    def model(self) -> ModelInfo:
        """None."""
        return ModelInfo()

    def usage(self, deadline: Deadline) -> Usage:  # noqa: ARG002 - asks nobody
        """Unknown."""
        return Usage()
