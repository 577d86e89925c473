"""`interview subtitles`: an answer's transcript as SRT or WebVTT, from a gateway or a result document."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cli.environment import Environment
from cli.failures import CommandError, ExitCode
from cli.gateway_client import Json
from cli.options import DEFAULT_GATEWAY_URL, ApiKey, GatewayUrl
from cli.result_source import not_a_result, read_result
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
    source: Annotated[
        str,
        typer.Argument(
            metavar="SESSION|RESULT.json",
            help="A session's identifier, or a file with a result document.",
            show_default=False,
        ),
    ],
    subtitle_format: Annotated[
        SubtitleFormat, typer.Option("--format", help="SubRip or WebVTT.")
    ] = SubtitleFormat.SRT,
    answer: Annotated[int, typer.Option("--answer", min=1, help="Which answer, counted from 1.")] = 1,
    language: Annotated[
        str | None,
        typer.Option("--language", help="A translation: en, id, …. What was said, without this option."),
    ] = None,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
) -> None:
    """Print an answer's transcript as subtitles."""
    environment: Environment = context.obj
    cues = _cues(read_result(environment, source, gateway, api_key), answer, language)
    if not cues:
        raise CommandError(
            "This answer has no words in that language. Leave --language out for what was said. "
            "The result's stages say why a translation is missing."
            if language
            else "There are no words of this answer. The result's stages say why.",
            code="SUBTITLES_EMPTY",
            exit_code=ExitCode.NOT_FOUND,
        )
    # A cue is data: no markup, no folding at the terminal's width.
    environment.out.print(
        RENDERERS[subtitle_format](cues), markup=False, highlight=False, soft_wrap=True, emoji=False, end=""
    )


def _cues(document: Json, answer: int, language: str | None) -> list[Cue]:
    try:
        answers = document["results"]
        if answer <= len(answers):
            return cues_of(answers[answer - 1].get("transcript") or {}, language)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise not_a_result() from error
    raise CommandError(
        f"The result has {len(answers)} answers. Give --answer a number from 1 to {len(answers)}.",
        code="ANSWER_UNKNOWN",
        exit_code=ExitCode.USAGE,
    )
