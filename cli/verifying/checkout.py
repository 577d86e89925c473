"""A checkout of the code that a document may have been made by."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from chassis.digests import CODE_FOLDERS, code_digest
from chassis.models import sha256_of
from cli.verifying.checks import Check, Verdict

RUBRICS_FOLDER = Path("services", "assessor", "rubrics")
PROMPTS_FOLDER = Path("services", "assessor", "prompt_texts")
OWN_ROOT = Path(__file__).parents[2]
ASSESS = "assess"


class Checkout:
    """A checkout.

    Args:
        root: Its root folder.
        named: Whether somebody says that this is the code. What differs from any other one proves nothing.
    """

    def __init__(self, root: Path, *, named: bool) -> None:
        self._root = root
        self._named = named

    @cached_property
    def code_sha256(self) -> str | None:
        """Digest of the code that makes documents. None where it is not all there."""
        return code_digest({name: self._root / folder for name, folder in CODE_FOLDERS.items()}) or None

    def rubric_sha256(self, rubric_id: str) -> str | None:
        """Digest of a rubric's file. None without one, as for a rubric that an operator added."""
        return self._digest_of(RUBRICS_FOLDER, rubric_id)

    def prompts_sha256(self, stage: str, version: str | None) -> str | None:
        """Digest of a file of prompts, such as `en.yaml` for `en-2`. None for those that are no file."""
        return self._digest_of(PROMPTS_FOLDER, (version or "").partition("-")[0]) if stage == ASSESS else None

    def compared(self, name: str, recorded: str | None, computed: str | None) -> Check:
        """Compare a digest of the document with one of the checkout."""
        if recorded is None:
            return Check(name, Verdict.NOT_RECORDED, None, computed)
        if computed is None:
            return Check(name, Verdict.UNCHECKED, recorded, note="It is not in this checkout.")
        if recorded == computed:
            return Check(name, Verdict.SAME, recorded, computed)
        if self._named:
            return Check(name, Verdict.DIFFERS, recorded, computed)
        note = "This checkout may be of another version. Name the right one with --checkout."
        return Check(name, Verdict.UNCHECKED, recorded, computed, note)

    def _digest_of(self, folder: Path, stem: str) -> str | None:
        # By the names that are there: what stands in the document makes no path.
        known = {path.stem: path for path in (self._root / folder).glob("*.yaml")}
        return sha256_of(known[stem]) if stem in known else None
