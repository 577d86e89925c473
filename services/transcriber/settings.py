"""What the transcriber can be told: `TRANSCRIBER_<FIELD>`, units in the names."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings
from services.transcriber.first_pass import FirstPass
from services.transcriber.guards import GuardRules
from services.transcriber.language_check import OnContradiction
from services.transcriber.speech import SpeechRules

MIN_WORKER_COUNT = 8


class TranscriberSettings(ServiceSettings):
    """Settings of one transcriber process."""

    model_config = SettingsConfigDict(env_prefix="TRANSCRIBER_")

    port: int = Field(50051, ge=0, le=65535)
    model: str = "whisper-base"
    """A name of the catalogue, or the path of a folder with a converted model."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    compute_type: str = "auto"
    """CTranslate2's type of numbers. Auto: int8 on a CPU, float16 on a GPU."""
    cpu_threads: int = Field(0, ge=0, le=256)
    """Threads that encode one window. 0 takes one. One more always decodes."""
    worker_count: int = Field(0, ge=0, le=256)
    """Recordings in work at once. Their windows take turns, so more of them cost memory, not speed. 0: as
    many as windows go to the model together, and 8 at least. Fewer never fill a batch."""
    max_batch_size: int = Field(0, ge=0, le=256)
    """Windows of different recordings that go to the model together. 0: 1 on a CPU, 16 on a GPU."""
    beam_size: int = Field(5, ge=1, le=10)
    first_pass: Literal["own_length", "padded"] = "own_length"  # noqa: S105 (no password)
    """own_length: every window is heard at its own length first, and kept where the model is sure of it."""
    first_pass_min_avg_logprob: float = Field(FirstPass.min_avg_logprob, le=0)
    first_pass_max_compression_ratio: float = Field(FirstPass.max_compression_ratio, gt=0)
    expected_language_codes: tuple[str, ...] = ("en", "id")
    """Languages that detection believes sooner than the rest (BCP-47), where the model knows several."""
    language_contradiction: OnContradiction = "warn"
    """What follows where a recording plainly sounds like another language than the caller named."""
    max_duration_s: float = Field(7200.0, gt=0)
    """Longest recording. The product's limit is 60 minutes a video."""

    vad_on_probability: float = Field(SpeechRules.on_probability, gt=0, lt=1)
    vad_off_probability: float = Field(SpeechRules.off_probability, gt=0, lt=1)
    vad_min_silence_s: float = Field(SpeechRules.min_silence_s, ge=0)
    vad_min_speech_s: float = Field(SpeechRules.min_speech_s, ge=0)
    vad_min_sure_speech_s: float = Field(SpeechRules.min_sure_speech_s, ge=0)
    vad_join_silence_s: float = Field(SpeechRules.join_silence_s, ge=0)
    vad_pad_s: float = Field(SpeechRules.pad_s, ge=0)

    max_compression_ratio: float = Field(GuardRules.max_compression_ratio, gt=0)
    min_avg_logprob: float = Field(GuardRules.min_avg_logprob, le=0)
    min_word_probability: float = Field(GuardRules.min_word_probability, ge=0, le=1)
    min_voiced_ratio: float = Field(GuardRules.min_voiced_ratio, ge=0, le=1)
    max_uncovered_ratio: float = Field(GuardRules.max_uncovered_ratio, ge=0, le=1)

    def workers_for(self, batch_size: int) -> int:
        """Return how many recordings are in work at once.

        Args:
            batch_size: Windows that go to the model together.
        """
        return self.worker_count or max(MIN_WORKER_COUNT, batch_size)

    @property
    def speech_rules(self) -> SpeechRules:
        """When sound counts as speech."""
        return SpeechRules(
            on_probability=self.vad_on_probability,
            off_probability=self.vad_off_probability,
            min_silence_s=self.vad_min_silence_s,
            min_speech_s=self.vad_min_speech_s,
            min_sure_speech_s=self.vad_min_sure_speech_s,
            join_silence_s=self.vad_join_silence_s,
            pad_s=self.vad_pad_s,
        )

    @property
    def first_pass_rules(self) -> FirstPass | None:
        """When an attempt at a window's own length is kept. None where none is made."""
        if self.first_pass == "padded":  # noqa: S105 (no password)
            return None
        return FirstPass(self.first_pass_min_avg_logprob, self.first_pass_max_compression_ratio)

    @property
    def guard_rules(self) -> GuardRules:
        """When a segment is flagged."""
        return GuardRules(
            max_compression_ratio=self.max_compression_ratio,
            min_avg_logprob=self.min_avg_logprob,
            min_word_probability=self.min_word_probability,
            min_voiced_ratio=self.min_voiced_ratio,
            max_uncovered_ratio=self.max_uncovered_ratio,
        )
