"""Fitting the checks of a model: from answers of known levels to offsets that put them in order."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml

from chassis.chat_completions import ChatRequest
from chassis.chat_replies import ChatReply, Token
from chassis.deadline import Deadline
from chassis.errors import InvalidInputError
from chassis.model_info import ModelInfo
from services.assessor.calibrate import run
from services.assessor.calibrating import calibrate, fit_offset, merged, read_labelled
from services.assessor.checks import Calibration, read_calibration
from services.assessor.prompts import read_prompts


class YesSayer:
    """Says yes to everything; how surely grows with the number that the answer names."""

    backend = "openai"
    info = ModelInfo("yes-sayer")

    def __init__(self, *, deaf_to: str = "") -> None:
        self._deaf_to = deaf_to

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        asked = request.messages[-1].content
        level = int(next(word for word in asked.split() if word.startswith("level-"))[6])
        deaf = self._deaf_to and self._deaf_to in asked
        log_odds = 4.0 if deaf else 3.0 + level  # always above zero: a bare yes tells nothing apart
        yes = 1 / (1 + math.exp(-log_odds))
        token = Token("yes", {"yes": math.log(yes), "no": math.log(1 - yes)})
        return ChatReply("yes", (token,))


def corpus(path: Path, level_counts: int = 4, *, split: str = "tuning") -> Path:
    answers = [
        {"level": level, "sentences": [f"This is level-{level} indeed and more of it."]}
        for level in range(1, 6)
        for _ in range(level_counts)
    ]
    question = {"text": "Why?", "language_code": "en", "split": split, "answers": answers}
    path.write_text(yaml.safe_dump({"questions": [question]}), encoding="utf-8")
    return path


def test_the_curve_goes_through_the_levels() -> None:
    targets = [0.0, 0.25, 0.5, 0.75, 1.0] * 4
    offset = fit_offset([4.0, 5.0, 6.0, 7.0, 8.0] * 4, targets)

    assert offset is not None
    assert offset.offset == pytest.approx(6.0, abs=0.05)
    assert offset.probability(4.0) < 0.15 < 0.85 < offset.probability(8.0)


@pytest.mark.parametrize("log_odds", [[5.0] * 20, [8.0, 7.0, 6.0, 5.0, 4.0] * 4])
def test_a_check_that_says_nothing_of_the_level_has_no_offset(log_odds: list[float]) -> None:
    assert fit_offset(log_odds, [0.0, 0.25, 0.5, 0.75, 1.0] * 4) is None


def test_answers_that_are_told_apart_perfectly_have_a_finite_scale() -> None:
    offset = fit_offset([-1.0, 1.0] * 10, [0.0, 1.0] * 10)

    assert offset is not None
    assert 0.05 < offset.scale < 1.0


def test_a_yes_sayer_is_read_by_how_sure_it_is(tmp_path: Path) -> None:
    answers = read_labelled(corpus(tmp_path / "answers.yaml"))
    done: list[tuple[int, int]] = []
    (fit,) = calibrate(YesSayer(), read_prompts(), answers, progress=lambda *step: done.append(step)).values()

    assert set(fit.offsets) == set(read_prompts()["en"].checks)
    assert all(offset.offset == pytest.approx(6.0, abs=0.05) for offset in fit.offsets.values())
    assert (done[0], done[-1]) == ((1, 20), (20, 20))


def test_a_check_to_which_the_model_is_deaf_is_left_out(tmp_path: Path) -> None:
    answers = read_labelled(corpus(tmp_path / "answers.yaml"))
    (fit,) = calibrate(YesSayer(deaf_to="personally did"), read_prompts(), answers).values()

    assert fit.left_out == ("own_action",)


def test_the_file_keeps_other_models_and_can_be_read_by_the_service(tmp_path: Path) -> None:
    target = tmp_path / "calibration.yaml"
    target.write_text("models: {other: {en-1: {learning: {offset: 1.0, scale: 2.0}}}}\n", encoding="utf-8")
    said: list[str] = []
    run(YesSayer(), corpus(tmp_path / "answers.yaml"), "tuning", target, said.append)
    written = read_calibration(target)

    assert written.offsets("other", "en-1")["learning"].scale == 2.0
    assert written.offsets("yes-sayer", read_prompts()["en"].version)["learning"].offset == pytest.approx(
        6.0, abs=0.05
    )
    assert "asked about 20 of 20 answers" in said


def test_a_split_without_questions_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    target = tmp_path / "calibration.yaml"
    with pytest.raises(InvalidInputError) as raised:
        run(YesSayer(), corpus(tmp_path / "a.yaml", split="test"), "tuning", target, lambda _: None)

    assert raised.value.reason == "TOO_FEW_LABELLED_ANSWERS"
    assert not target.exists()


def test_too_few_answers_of_a_language_are_refused_before_the_model_is_asked(tmp_path: Path) -> None:
    asked: list[int] = []
    with pytest.raises(InvalidInputError) as raised:
        calibrate(
            YesSayer(),
            read_prompts(),
            read_labelled(corpus(tmp_path / "b.yaml", 1)),
            progress=lambda done, _: asked.append(done),
        )

    assert (raised.value.reason, asked) == ("TOO_FEW_LABELLED_ANSWERS", [])


LEVEL_9 = "questions: [{text: a, language_code: en, answers: [{level: 9, sentences: [b]}]}]"


@pytest.mark.parametrize("text", ["", "questions: 3", "questions: [{text: a}]", "a: [", LEVEL_9])
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidInputError) as raised:
        read_labelled(file)
    assert raised.value.reason == "LABELLED_ANSWERS_INVALID"


def test_merging_replaces_the_same_model_and_prompts_only() -> None:
    document = merged("models: {m: {id-1: {}, en-1: {learning: {offset: 1.0, scale: 1.0}}}}", "m", {})

    assert Calibration.model_validate(document).offsets("m", "en-1")["learning"].offset == 1.0
