"""One spelling for what may be written in several ways, so that only other words count as errors.

Numbers, money, percent, titles and abbreviations are written as they are said. Pure.
"""

from __future__ import annotations

import re
import unicodedata

ENGLISH, INDONESIAN = "en", "id"
UNITS = {
    ENGLISH: (
        *[
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
        ],
        *["fifteen", "sixteen", "seventeen", "eighteen", "nineteen"],
    ),
    INDONESIAN: (
        *[
            "nol",
            "satu",
            "dua",
            "tiga",
            "empat",
            "lima",
            "enam",
            "tujuh",
            "delapan",
            "sembilan",
            "sepuluh",
            "sebelas",
        ],
        *(
            f"{unit} belas"
            for unit in ["dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan"]
        ),
    ),
}
TENS = {
    ENGLISH: ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"],
    INDONESIAN: [f"{unit} puluh" for unit in UNITS[INDONESIAN][:10]],
}
SCALES = {
    ENGLISH: ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")),
    INDONESIAN: ((10**9, "miliar"), (10**6, "juta"), (1000, "ribu"), (100, "ratus")),
}
MAX_NUMBER = 10**12
MONEY = {
    ENGLISH: {"$": "dollars", "€": "euros", "£": "pounds", "rp": "rupiah", "idr": "rupiah", "usd": "dollars"},
    INDONESIAN: {"rp": "rupiah", "idr": "rupiah", "$": "dolar", "usd": "dolar", "€": "euro"},
}
SAID = {
    ENGLISH: {"%": " percent", "&": " and ", r"\bmr\b\.?": "mister", r"\bdr\b\.?": "doctor"},
    INDONESIAN: {
        "%": " persen",
        "&": " dan ",
        r"\bhp\b": "hape",
        r"\bdll\b\.?": "dan lain lain",
        r"\byg\b\.?": "yang",
        r"\bdgn\b\.?": "dengan",
        r"\bbpk\b\.?": "bapak",
    },
}
"""What stands for other words, in lower case."""
POINT = {ENGLISH: (",", ".", "point"), INDONESIAN: (".", ",", "koma")}
"""What groups digits, what stands before decimals, and how that is said."""
YEARS = range(1100, 2000)
"""In English these are said in two halves."""


def as_said(text: str, language_code: str) -> str:
    """Return a text as it is said: lower case, words and single spaces only.

    Args:
        text: What was written.
        language_code: `en` or `id`. Others get no numbers in words.
    """
    lower = unicodedata.normalize("NFKC", text).lower().replace("’", "'").replace("‘", "'")
    lower = re.sub(r"\b(?:[a-z]{1,4}\.){2,}|\b[a-z]{1,2}\.[a-z]{2,4}\b\.?", _joined, lower)
    if language_code in UNITS:
        lower = _money_last(lower, language_code)
        for pattern, said in SAID[language_code].items():
            lower = re.sub(pattern, said, lower)
        lower = _numbers_in_words(lower, language_code)
    return " ".join(re.sub(r"[^\w\s']|_", " ", lower).split())


def number_said(number: int, language_code: str) -> str:
    """Return a whole number from 0 to 10¹²−1 in words."""
    units, tens = UNITS[language_code], TENS[language_code]
    if number < 20:
        return units[number]
    if number < 100:
        return f"{tens[number // 10]} {units[number % 10] if number % 10 else ''}".strip()
    size, name = next((size, name) for size, name in SCALES[language_code] if number >= size)
    count, rest = divmod(number, size)
    short = language_code == INDONESIAN and count == 1 and size <= 1000
    head = f"se{name}" if short else f"{number_said(count, language_code)} {name}"
    return f"{head} {number_said(rest, language_code)}" if rest else head


def _joined(abbreviation: re.Match[str]) -> str:
    """Write a title or an abbreviation without its points: S.Kom. is skom."""
    return abbreviation.group().replace(".", "") + " "


def _money_last(text: str, language_code: str) -> str:
    """Write what is paid as it is said: the number first."""
    for sign, name in MONEY[language_code].items():
        begin = r"\b" if sign.isalpha() else ""
        amount = r"(\d[\d.,]*\d|\d)((?: (?:thousand|million|billion|ribu|juta|miliar))?)"
        text = re.sub(rf"{begin}{re.escape(sign)}\.? ?{amount}", rf"\1\2 {name}", text)
    return text


def _numbers_in_words(text: str, language_code: str) -> str:
    group, point, point_said = POINT[language_code]
    whole = rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+(?!\d)|\d+"

    def said(found: re.Match[str]) -> str:
        number, decimals = int(found["whole"].replace(group, "")), found["decimals"]
        if number >= MAX_NUMBER:
            return found.group()
        words = number_said(number, language_code)
        if language_code == ENGLISH and number in YEARS and not decimals and group not in found["whole"]:
            words = _year(number)
        digits = [number_said(int(digit), language_code) for digit in decimals or ""]
        return " ".join(["", words, *([point_said, *digits] if digits else []), ""])

    return re.sub(rf"(?P<whole>{whole})(?:{re.escape(point)}(?P<decimals>\d+))?", said, text)


def _year(year: int) -> str:
    century, rest = divmod(year, 100)
    end = (
        "hundred" if rest == 0 else number_said(rest, ENGLISH) if rest >= 10 else f"oh {UNITS[ENGLISH][rest]}"
    )
    return f"{number_said(century, ENGLISH)} {end}"
