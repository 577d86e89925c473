"""Runs the monolith as a process of its own: `python -m benchmarks.session.monolith_arm FOLDER`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.session.baselines import Json, Monolith, client_of
from benchmarks.session.conversation import Arm


def main() -> None:
    """Serve orders until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="receives the sound")
    parser.add_argument("--proxy-url", default="")
    parser.add_argument("--model", default="")
    options = parser.parse_args()
    arm = Arm()
    monolith = Monolith(client_of(options.proxy_url, options.model) if options.proxy_url else None)

    def do(order: Json) -> Json:
        folder = Path(order["folder"])
        listed = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
        videos = [folder / answer["file"] for answer in listed["answers"]]
        if "looks_per_s" in order:
            return monolith.look(videos, float(order["looks_per_s"]))
        questions = [answer["question"] for answer in listed["answers"]]
        return monolith.take(videos, questions, listed["language"], options.folder)

    arm.serve(do)


if __name__ == "__main__":
    main()
