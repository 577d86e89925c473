"""Calibrates the configured model: `python -m services.assessor.calibrate ANSWERS`.

Reads the assessor's own settings, so that what is fitted is the model that the service asks. `interview
assessor calibrate` runs it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from chassis.errors import InterviewError
from chassis.settings import SettingsError, load_settings
from services.assessor.__main__ import build_model
from services.assessor.calibrating import Fit, calibrate, merged, read_labelled
from services.assessor.checks import CALIBRATION_FILE
from services.assessor.language_model import LanguageModel
from services.assessor.prompts import read_prompts
from services.assessor.settings import AssessorSettings

Say = Callable[[str], object]

HEADER = """\
# Offsets of the yes-or-no checks: model name → prompt version → check → offset and scale (log-odds).
# Fitted by `interview assessor calibrate` from answers of known levels. A model that is not listed is judged
# by its sentence tags alone.
"""


def run(model: LanguageModel, answers: Path, split: str, target: Path, say: Say) -> dict[str, Fit]:
    """Fit a model's offsets and write them into the calibration file. Other models' stay.

    Raises:
        InterviewError: The answers can't be used, or the model fails.
    """
    labelled = read_labelled(answers, split)
    fits = calibrate(
        model,
        read_prompts(),
        labelled,
        progress=lambda done, total: say(f"asked about {done} of {total} answers"),
    )
    known = target.read_text(encoding="utf-8") if target.exists() else ""
    document = merged(known, model.info.name, fits)
    unfinished = target.with_suffix(".part")
    unfinished.write_text(HEADER + yaml.safe_dump(document, sort_keys=True), encoding="utf-8")
    unfinished.replace(target)
    for version, fit in fits.items():
        for check_id, offset in fit.offsets.items():
            say(f"{version} {check_id}: offset {offset.offset:+.2f}, scale {offset.scale:.2f}")
        for check_id in fit.left_out:
            say(f"{version} {check_id}: left out, it says nothing of the level")
    say(f"written to {target}")
    return fits


def main(arguments: Sequence[str] | None = None, say: Say = print) -> int:
    """Run the command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="interview assessor calibrate", description=__doc__)
    parser.add_argument("answers", type=Path, help="YAML with questions, their answers, and a level for each")
    parser.add_argument("--split", default="", help="only the questions of this split")
    parser.add_argument("--to", type=Path, default=CALIBRATION_FILE, help="file to write the offsets into")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(AssessorSettings)
        model = build_model(settings)
        if model is None:
            say("error: no model is configured. Set LLM_BASE_URL or HF_TOKEN (MODEL_MISSING)")
            return 2
        run(model, options.answers, options.split, options.to, say)
    except (InterviewError, SettingsError) as error:
        code = error.reason if isinstance(error, InterviewError) else "SETTINGS_INVALID"
        say(f"error: {error} ({code})")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
