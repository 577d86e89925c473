"""`interview subtitles`: an answer's transcript as SRT or WebVTT, from a stored result document."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.environment import Environment
from cli.failures import CommandError, ExitCode
from cli.subtitles import Cue, cues_of, to_srt, to_vtt


class SubtitleFormat(StrEnum):
    """What players read."""

    SRT = "srt"
    VTT = "vtt"


RENDERERS = {SubtitleFormat.SRT: to_srt, SubtitleFormat.VTT: to_vtt}


def add_to(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command()(subtitles)


def subtitles(
    context: typer.Context,
    result: Annotated[
        Path, typer.Argument(metavar="RESULT.json", help="A result document.", show_default=False)
    ],
    subtitle_format: Annotated[
        SubtitleFormat, typer.Option("--format", help="SubRip or WebVTT.")
    ] = SubtitleFormat.SRT,
    answer: Annotated[int, typer.Option("--answer", min=1, help="Which answer, from 1.")] = 1,
    language: Annotated[
        str | None,
        typer.Option("--language", help="en, id, …: a translation; what was said without it."),
    ] = None,
) -> None:
    """Print an answer's transcript as subtitles."""
    environment: Environment = context.obj
    cues = _cues(result, answer, language)
    if not cues:
        raise CommandError(
            "This answer has no words in that language; leave --language out for what was said, "
            "or see why in the result's stages.",
            code="SUBTITLES_EMPTY",
            exit_code=ExitCode.NOT_FOUND,
        )
    # A cue is data: no markup, no folding at the terminal's width.
    environment.out.print(
        RENDERERS[subtitle_format](cues), markup=False, highlight=False, soft_wrap=True, emoji=False, end=""
    )


def _cues(path: Path, answer: int, language: str | None) -> list[Cue]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        answers = document["results"]
        if answer <= len(answers):
            return cues_of(answers[answer - 1].get("transcript") or {}, language)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(
            "This file is no result document; `interview results SESSION --output FILE` writes one.",
            code="RESULT_INVALID",
            exit_code=ExitCode.USAGE,
        ) from error
    raise CommandError(
        f"The result has {len(answers)} answers; --answer must be one of them.",
        code="ANSWER_UNKNOWN",
        exit_code=ExitCode.USAGE,
    )
