"""`docs/recordings.md` lists every kind of warning about a recording, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
SOURCES = [
    *(ROOT / "chassis" / "playback").glob("*.py"),
    ROOT / "orchestrator" / "stages" / "decoding.py",
    ROOT / "services" / "transcriber" / "language_check.py",
]


def test_every_kind_of_warning_is_documented() -> None:
    code = "".join(source.read_text() for source in SOURCES)
    told = set(
        re.findall(
            r'"((?:SOUND|PICTURE|RECORDINGS|CLOCK|HIDDEN|LANGUAGE)_[A-Z_]+|MEDIA_(?:TRUNCATED|DAMAGED))"',
            code,
        )
    )
    told |= {f"{what}_UNDECODABLE" for what in ("SOUND", "PICTURE")}
    listed = set(
        re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "recordings.md").read_text(), re.MULTILINE)
    )

    assert listed == told
