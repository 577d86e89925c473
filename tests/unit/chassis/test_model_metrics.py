"""What a stage exports about its model."""

from __future__ import annotations

from prometheus_client import REGISTRY, generate_latest

from chassis.model_info import ModelInfo
from chassis.telemetry import count_batch, tell_model


def test_a_model_is_exported_with_where_and_in_which_numbers_it_runs() -> None:
    tell_model(ModelInfo("tiny-of-a-test", "1", "abc", "cuda"), "float16")

    labels = {"model": "tiny-of-a-test", "device": "cuda", "compute_type": "float16"}
    assert REGISTRY.get_sample_value("interview_model_info", labels) == 1


def test_a_stage_without_a_model_exports_none() -> None:
    before = generate_latest().count(b"interview_model_info{")
    tell_model(ModelInfo())

    assert generate_latest().count(b"interview_model_info{") == before


def test_windows_that_went_together_are_counted_by_step() -> None:
    for window_count in (1, 3, 3):
        count_batch("step-of-a-test", window_count)

    def up_to(most: str) -> float | None:
        labels = {"step": "step-of-a-test", "le": most}
        return REGISTRY.get_sample_value("interview_batch_windows_bucket", labels)

    assert (up_to("1.0"), up_to("2.0"), up_to("4.0")) == (1, 1, 3)
