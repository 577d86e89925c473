"""The document has the shape that its schema describes."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from cli.verifying.checks import Check, Checks, Json, Verdict

MOST_SHOWN = 5
"""Of the places where a document breaks its schema."""


def check_shape(document: Json) -> Checks:
    """Check a document by the schema of its version, which is this program's own or not known here."""
    schema = json.loads(files("interview").joinpath("v1", "result.schema.json").read_bytes())
    known, recorded = schema["properties"]["schema_version"]["const"], document.get("schema_version")
    if recorded != known:
        note = f"This program has the schema of version {known}."
        yield Check("schema", Verdict.UNCHECKED, recorded, known, note)
        return
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        note = "Install jsonschema to check it."
        yield Check("schema", Verdict.UNCHECKED, recorded, known, note)
        return
    errors: list[Any] = list(Draft202012Validator(schema).iter_errors(document))
    for error in errors[:MOST_SHOWN]:
        # Not its message, which holds the whole value.
        yield Check(f"schema: {error.json_path}", Verdict.DIFFERS, note=f"It breaks `{error.validator}`.")
    if not errors:
        yield Check("schema", Verdict.SAME, recorded, known)
