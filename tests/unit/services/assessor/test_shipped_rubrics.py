"""Each shipped rubric puts plainly ordered answers in their order, and its levels mean what they say."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.assessor.engine import Assessor
from services.assessor.levels import find_level
from services.assessor.rubric import RUBRICS_DIR, Criterion
from services.assessor.sentences import Sentence
from services.assessor.tags import Tag, TaggedSentence
from tests.fakes.assessor import (
    CONCRETE,
    QUESTION,
    RUBRICS,
    FakeModel,
    deadline,
    make_assessor,
    tell,
    written,
)
from tests.folders import ROOT

SHIPPED = ("behavioural", "general", "technical")
QUESTION_ID = "Ceritakan saat Anda memperbaiki gangguan pada sebuah sistem."
QUESTION_EN = "Tell me about a time you repaired a failure in a system."
IN_ORDER_EN = [
    "I like problems and I am always motivated. Everything is possible with a good attitude.",
    "Last year our server was down every Friday. Everybody was very nervous because of it.",
    "Last year our server was down every Friday. I checked the logs. I replaced the broken disk.",
    (
        "Last year our server was down every Friday. I checked the logs. I replaced the broken disk. "
        "After that the failures stopped and we saved 3 hours a week."
    ),
    (
        "Last year our server was down every Friday. I checked the logs. I replaced the broken disk. "
        "After that the failures stopped and we saved 3 hours a week. I learned to look at the logs first."
    ),
]
IN_ORDER_ID = [
    "Saya orangnya pekerja keras dan selalu semangat. Menurut saya semua masalah ada jalan keluarnya.",
    "Tahun lalu server kami sering mati pada hari Jumat. Semua orang sangat cemas karena itu.",
    "Tahun lalu server kami sering mati pada hari Jumat. Saya memeriksa log. Saya mengganti disk yang rusak.",
    (
        "Tahun lalu server kami sering mati pada hari Jumat. Saya memeriksa log. "
        "Saya mengganti disk yang rusak. Hasilnya gangguan itu berkurang menjadi 1 jam."
    ),
    (
        "Tahun lalu server kami sering mati pada hari Jumat. Saya memeriksa log. "
        "Saya mengganti disk yang rusak. Hasilnya gangguan itu berkurang menjadi 1 jam. "
        "Dari situ saya belajar memeriksa log lebih dulu."
    ),
]
G, S, A, R, L, OFF = Tag.GENERAL, Tag.SITUATION, Tag.ACTION, Tag.RESULT, Tag.LESSON, Tag.OFFTOPIC
ORDERED = {"en": (QUESTION_EN, IN_ORDER_EN), "id": (QUESTION_ID, IN_ORDER_ID)}
SEEN = {
    "Last year our": S,
    "Tahun lalu server": S,
    "I checked": A,
    "I replaced": A,
    "Saya mem": A,
    "Saya meng": A,
    "After that": R,
    "Hasilnya": R,
    "I learned": L,
    "Dari situ": L,
}
BEST = [S, A, A, A, R, L]
MEANT = [
    ("behavioural", "situation", [OFF, OFF, OFF, G], 1.25),
    ("behavioural", "situation", [G, A], 2.0),
    ("behavioural", "situation", [S], 3.0),
    ("behavioural", "situation", [S, A], 4.0),
    ("behavioural", "situation", [S, A, R], 5.0),
    ("behavioural", "action", [S, R], 2.0),
    ("behavioural", "action", [A], 3.0),
    ("behavioural", "action", [A, A, A], 4.0),
    ("behavioural", "action", [S, A, R], 4.0),
    ("behavioural", "action", [S, A, A, A, R], 5.0),
    ("behavioural", "result", [S, G], 1.0),
    ("behavioural", "result", [A], 2.0),
    ("behavioural", "result", [S, R], 2.0),
    ("behavioural", "result", [R, A], 3.0),
    ("behavioural", "result", [A, R], 4.0),
    ("behavioural", "result", [S, A, R], 5.0),
    ("behavioural", "learning", [S, A, R], 2.0),
    ("behavioural", "learning", [L], 3.0),
    ("behavioural", "learning", [A, L], 4.0),
    ("behavioural", "learning", [A, R, L], 5.0),
    ("technical", "problem", [G], 2.0),
    ("technical", "problem", [S], 3.0),
    ("technical", "problem", [A, S], 4.0),
    ("technical", "problem", [S, A], 5.0),
    ("technical", "approach", [S, G], 2.0),
    ("technical", "approach", [A], 3.0),
    ("technical", "approach", [A, A], 4.0),
    ("technical", "approach", [A, A, A], 5.0),
    ("technical", "approach", [A] * 9, 5.0),  # going on and on adds nothing
    ("technical", "outcome", [G], 1.0),
    ("technical", "outcome", [A], 2.0),
    ("technical", "outcome", [R, A], 3.0),
    ("technical", "outcome", [A, R], 4.0),
    ("technical", "outcome", [A, R, L], 5.0),
]
CRITERIA = [(rubric_id, c) for rubric_id in SHIPPED for c in RUBRICS[rubric_id].criteria]
tag_lists = st.lists(st.sampled_from(Tag), min_size=1, max_size=12)


def tagged(tags: list[Tag]) -> list[TaggedSentence]:
    return [TaggedSentence(Sentence(f"s{n}", "said"), tag) for n, tag in enumerate(tags, start=1)]


def see(said: str) -> Tag:
    return next((tag for beginning, tag in SEEN.items() if said.startswith(beginning)), G)


def weighted_levels(assessor: Assessor, rubric_id: str, language: str) -> list[float]:
    """Weigh the levels of what word lists can judge as well, for each of the ordered answers."""
    question, answers = ORDERED[language]
    criteria = RUBRICS[rubric_id].criteria
    assessed = [
        assessor.assess(written(text, question, language, rubric_id=rubric_id), deadline()).criteria
        for text in answers
    ]
    return [
        sum(
            criterion.weight * (found.level or 1.0)
            for criterion, found in zip(criteria, judged, strict=True)
            if criterion.baseline == "tags"
        )
        for judged in assessed
    ]


def level_of(criterion: Criterion, tags: list[Tag]) -> float:
    level = find_level(criterion, tagged(tags))
    assert level is not None
    return level.level


def test_three_rubrics_are_shipped() -> None:
    assert tuple(sorted(RUBRICS)) == SHIPPED
    assert {path.stem for path in RUBRICS_DIR.glob("*.yaml")} == set(SHIPPED)


def test_packages_carry_the_rubrics() -> None:
    root = ROOT
    setuptools = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    dockerfile = (root / "services" / "assessor" / "Dockerfile").read_text(encoding="utf-8")

    assert "*.yaml" in setuptools["package-data"]["*"]
    assert "COPY services/assessor /app/services/assessor" in dockerfile


@pytest.mark.parametrize("rubric_id", SHIPPED)
def test_weights_add_up_to_one(rubric_id: str) -> None:
    assert sum(criterion.weight for criterion in RUBRICS[rubric_id].criteria) == pytest.approx(1.0)


@pytest.mark.parametrize("rubric_id", SHIPPED)
@pytest.mark.parametrize("language", ["en", "id"])
def test_word_lists_put_plainly_ordered_answers_in_their_order(rubric_id: str, language: str) -> None:
    totals = weighted_levels(make_assessor(), rubric_id, language)

    assert totals == sorted(totals)
    assert len(set(totals[:4])) == 4  # word lists end at level 4, where a lesson adds nothing


@pytest.mark.parametrize("rubric_id", SHIPPED)
@pytest.mark.parametrize("language", ["en", "id"])
def test_a_model_that_sees_what_sentences_are_puts_every_answer_in_its_place(
    rubric_id: str, language: str
) -> None:
    totals = weighted_levels(make_assessor(FakeModel(see)), rubric_id, language)

    assert totals == sorted(totals)
    assert len(set(totals)) == len(totals)


@pytest.mark.parametrize("rubric_id", SHIPPED)
def test_a_whole_account_is_worth_five_and_generalities_two_at_most(rubric_id: str) -> None:
    for criterion in RUBRICS[rubric_id].criteria:
        assert level_of(criterion, BEST) == pytest.approx(5.0)
        most = 4.0 if criterion.id == "relevance" else 2.0
        assert level_of(criterion, [G, G, G]) <= most


@pytest.mark.parametrize(("rubric_id", "criterion_id", "tags", "level"), MEANT)
def test_a_level_means_what_its_text_says(
    rubric_id: str, criterion_id: str, tags: list[Tag], level: float
) -> None:
    criterion = next(c for c in RUBRICS[rubric_id].criteria if c.id == criterion_id)

    assert level_of(criterion, tags) == pytest.approx(level)


@settings(max_examples=40, deadline=None)  # a busy machine is no failure
@given(tag_lists)
def test_every_level_of_every_rubric_is_bounded_and_cites_sentences(tags: list[Tag]) -> None:
    for _, criterion in CRITERIA:
        level = find_level(criterion, tagged(tags))
        if level is not None:
            assert 1.0 <= level.level <= 5.0
            assert level.evidence
            assert all(item.tag not in (None, OFF) for item in level.evidence)


@pytest.mark.parametrize("rubric_id", SHIPPED)
def test_the_rubric_that_was_asked_for_stands_in_the_result(rubric_id: str) -> None:
    model = FakeModel(tell)
    assessment = make_assessor(model).assess(written(CONCRETE, QUESTION, rubric_id=rubric_id), deadline())

    rubric = RUBRICS[rubric_id]
    provenance = assessment.provenance
    assert (provenance.rubric_id, provenance.rubric_version, provenance.rubric_digest) == (
        rubric_id,
        rubric.version,
        rubric.digest,
    )
    assert [found.id for found in assessment.criteria] == [criterion.id for criterion in rubric.criteria]
    assert assessment.total_score is not None
    assert assessment.total_score > 85
