"""What the result page says: of how much a score is, what was not looked at, what can't be played."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.answered import answers, assessed
from tests.browser.site import Site, a_document
from tests.browser.visits import open_result
from tests.browser.webdriver import Browser, browser_missing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(browser_missing()), reason=browser_missing() or "a browser is here"),
]


def head_of(browser: Browser) -> str:
    return browser.text("#result-view .panel").replace("\n", " ")


def test_the_head_counts_the_answers_that_have_a_score(browser: Browser, site: Site, recording: Path) -> None:
    without = {"assessment": assessed(None, None, None) | {"outcome": "INSUFFICIENT_EVIDENCE"}}
    document = answers(*[without] * 5)
    document["llm_results"]["kesimpulan_llm"] = "0 of 5 answers could be scored."

    open_result(browser, site, document, recording)

    text = browser.text("#result-view")
    assert "0 of 5 answers scored" in text
    assert "5 of 5" not in text
    assert "No answer could be scored" in text


def test_a_total_says_of_how_many_criteria_it_is(browser: Browser, site: Site, recording: Path) -> None:
    document = answers({"assessment": assessed(75.0, 4.0, 4.0, None)})

    open_result(browser, site, document, recording)

    assert browser.text("#result-view").count("of 2 of 3 criteria") == 2  # in the head, and at the answer


def test_a_document_without_the_counts_is_counted_here(browser: Browser, site: Site, recording: Path) -> None:
    assessment = assessed(75.0, 4.0, 4.0, None)
    del assessment["scored_criterion_count"], assessment["criterion_count"]

    open_result(browser, site, answers({"assessment": assessment}), recording)

    assert "of 2 of 3 criteria" in browser.text("#result-view")


def test_totals_of_different_rubrics_have_no_mean(browser: Browser, site: Site, recording: Path) -> None:
    other = assessed(25.0, 2.0, 2.0, rubric="technical")
    document = answers({"assessment": assessed(75.0, 4.0, 4.0)}, {"assessment": other})

    open_result(browser, site, document, recording, recording)

    head = head_of(browser)
    assert "– of 100" in head
    assert "different criteria" in head


def test_a_total_of_some_criteria_is_left_out_of_the_mean(
    browser: Browser, site: Site, recording: Path
) -> None:
    whole, part = assessed(75.0, 4.0, 4.0), assessed(25.0, 2.0, None)
    document = answers({"assessment": whole}, {"assessment": part})

    open_result(browser, site, document, recording, recording)

    head = head_of(browser)
    assert "75 of 100" in head
    assert "The mean of 1 of 2 answers. Scores of only some criteria are left out" in head


def test_scores_of_some_criteria_alone_have_no_mean(browser: Browser, site: Site, recording: Path) -> None:
    part = {"assessment": assessed(25.0, 2.0, None)}

    open_result(browser, site, answers(part, part), recording, recording)

    assert "There is no mean. No answer has a score for all of its criteria." in head_of(browser)


def test_the_documents_own_totals_win(browser: Browser, site: Site, recording: Path) -> None:
    whole = {"assessment": assessed(75.0, 4.0, 4.0)}
    document = answers(whole, whole)
    document["totals"] = {"scored_count": 1, "averaged_count": 0, "mean_total_score": None}
    document["totals"]["reason"] = "Several rubrics."

    open_result(browser, site, document, recording, recording)

    assert "– of 100" in head_of(browser)
    assert "1 of 2 answers scored" in head_of(browser)
    assert "Several rubrics." in head_of(browser)


def test_totals_of_the_same_criteria_have_a_mean(browser: Browser, site: Site, recording: Path) -> None:
    document = answers({"assessment": assessed(75.0, 4.0, 4.0)}, {"assessment": assessed(25.0, 2.0, 2.0)})

    open_result(browser, site, document, recording, recording)

    assert "50 of 100" in head_of(browser)


def test_halves_are_rounded_as_the_document_rounds_them(
    browser: Browser, site: Site, recording: Path
) -> None:
    open_result(browser, site, answers({"assessment": assessed(62.5, 3.5, 3.5)}), recording)

    assert "62 of 100" in head_of(browser)
    assert "63 of 100" not in browser.text("#result-view")


def test_a_level_s_bar_and_number_are_on_one_scale(browser: Browser, site: Site, recording: Path) -> None:
    document = answers({"assessment": assessed(0.0, 1.0, 3.0, 5.0)})

    open_result(browser, site, document, recording)

    for place, score in enumerate((0, 50, 100), start=1):
        selector = f".criterion:nth-of-type({place}) .level"
        assert f"{score} of 100" in browser.text(selector)
        share = browser.run(
            "const bar = document.querySelectorAll('.meter span')[arguments[0]];"
            "return bar.getBoundingClientRect().width / bar.parentElement.getBoundingClientRect().width",
            place - 1,
        )
        assert share == pytest.approx(score / 100, abs=0.01)


def test_a_picture_that_stands_is_not_an_observation(browser: Browser, site: Site, recording: Path) -> None:
    stands = {"kind": "no_picture", "start_s": 1.0, "end_s": 3.0, "value": 2.0, "unit": "s", "threshold": 1.0}
    seen = {"value": None, "looked_at_ratio": 0.5, "outcome": "INSUFFICIENT_EVIDENCE", "reason": "Half."}
    verdict = {"value": None, "picture": seen, "sound": seen | {"value": "Safe", "looked_at_ratio": 1.0}}

    open_result(browser, site, answers({"observations": [stands], "verdict": verdict}), recording)

    text = browser.text("#result-view section.panel")
    assert "50 % of the recording was looked at. Nothing was observed there." in text
    assert "No picture" in text


def test_not_looked_at_is_not_nothing_observed(browser: Browser, site: Site, recording: Path) -> None:
    stages = a_document()["results"][0]["stages"]
    nothing = {"state": "done", "outcome": "NO_VIDEO", "reason": None, "message": None, "run_s": 0.1}
    no_picture = {
        "observations": [],
        "stages": stages | {"vision": nothing},
    }
    failed = {"state": "failed", "outcome": "SERVICE_UNAVAILABLE", "reason": "UNAVAILABLE", "message": None}
    broken = {"observations": [], "stages": stages | {"vision": failed | {"run_s": 0.1}}}

    open_result(browser, site, answers(no_picture, broken), recording, recording)

    first, second = browser.texts("#result-view section.panel")
    assert "Not looked at: no picture." in first
    assert "Nothing was observed in the picture" not in first
    assert "Not looked at: The service" in second


def test_what_was_looked_at_in_part_is_a_share_of_the_recording(
    browser: Browser, site: Site, recording: Path
) -> None:
    seen = {"value": None, "looked_at_ratio": 0.3, "outcome": "INSUFFICIENT_EVIDENCE", "reason": "Only 30 %."}
    heard = {"value": None, "looked_at_ratio": 0.0, "outcome": "NO_AUDIO", "reason": "There is no sound."}
    verdict = {"value": None, "picture": seen, "sound": heard}

    open_result(browser, site, answers({"observations": [], "verdict": verdict}), recording)

    text = browser.text("#result-view section.panel")
    assert "30 % of the recording was looked at. Nothing was observed there." in text
    assert "Not listened to: no sound." in text


def test_every_warning_stands_in_the_head_of_its_answer(
    browser: Browser, site: Site, recording: Path
) -> None:
    warnings = [
        {"kind": "SOUND_TRACK_CHOSEN", "message": "The second sound track was heard.", "stage": "extract"},
        {"kind": "PICTURE_STANDS", "message": "The picture stands still.", "start_s": 3.0, "end_s": 63.0,
         "stage": "vision"},
    ]  # fmt: skip
    document = answers({"warnings": warnings})
    document["results"].append(a_document(2)["results"][1] | {"warnings": warnings[:1]})

    open_result(browser, site, document, recording, recording)

    first, second = browser.texts("#result-view section.panel")
    assert "The second sound track was heard." in first
    assert "The picture stands still." in first
    assert "0:03" in browser.text(".warnings")
    assert "The second sound track was heard." in second
    browser.keep("8-warnings")


def test_a_measure_has_its_unit_and_its_usual_range(browser: Browser, site: Site, recording: Path) -> None:
    speech_rate = {"value": 131.2, "unit": "per_min", "coverage": 0.9, "outcome": "OK", "reason": None}
    usual = {"low": 110, "high": 160, "source": "A textbook"}
    document = answers({"measures": {"speech": {"speech_rate": speech_rate | {"reference_range": usual}}}})

    open_result(browser, site, document, recording)
    browser.run("document.querySelectorAll('details').forEach((node) => (node.open = true))")

    assert "131 /min" in browser.text()
    assert "110 to 160 /min" in browser.text()
    assert "A textbook" in browser.text()


def test_a_code_that_nobody_knows_comes_with_what_to_do(
    browser: Browser, site: Site, recording: Path
) -> None:
    document = a_document(2)
    document["results"][1]["error"] = {"stage": "extract", "reason": "QUITE_NEW", "message": None}

    open_result(browser, site, document, recording, recording)

    assert "tell the operator" in browser.texts("#result-view section.panel")[1]


def test_a_doubted_translation_has_a_mark_and_a_sentence(
    browser: Browser, site: Site, recording: Path
) -> None:
    document = answers({})
    segment = {
        "start_s": 0.0,
        "end_s": 1.0,
        "text": "I never did.",
        "language": "en",
        "flags": [],
        "words": [],
    }
    doubted = {"text": "Saya pernah.", "outcome": "OK", "reason": None, "doubts": ["NEGATION_DOUBTFUL"]}
    sure = {"text": "Saya tidak pernah.", "outcome": "OK", "reason": None}
    segments = [segment | {"translations": {"id": item}} for item in (doubted, sure)]
    document["results"][0]["transcript"] = {
        "outcome": "OK", "reason": None, "language": "en", "warnings": [], "segments": segments
    }  # fmt: skip

    open_result(browser, site, document, recording)

    shown = browser.text(".transcript")
    assert shown.count("check") == 1
    assert shown.count("Compare it with the original.") == 1
