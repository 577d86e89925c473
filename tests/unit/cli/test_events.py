"""A session's events as they come over the wire: what stands in them, and what cuts them off."""

from __future__ import annotations

import json

import httpx
import pytest

from cli.failures import CommandError
from cli.following import follow
from cli.gateway_client import GatewayClient
from tests.fakes.cli import SESSION_ID, FakeGateway, session_state

PATH = f"/sessions/{SESSION_ID}/events"


def client_of(*bodies: str, media_type: str = "text/event-stream") -> GatewayClient:
    gateway = FakeGateway()
    replies = [httpx.Response(200, text=body, headers={"Content-Type": media_type}) for body in bodies]
    gateway.on("GET", PATH, *replies)
    return gateway.open("http://127.0.0.1:1", "")


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x0b", "\x1c"])
def test_a_name_with_an_odd_line_end_does_not_cut_its_event(separator: str) -> None:
    name = f"Ann{separator}Lee"
    state = json.dumps(session_state("completed", candidate_name=name), ensure_ascii=False)
    followed = list(follow(client_of(f"id: 1\nevent: session\ndata: {state}\n\n"), SESSION_ID))
    assert [one["candidate_name"] for one in followed] == [name]


def test_an_event_of_several_lines_is_one_event() -> None:
    events = list(client_of(": ping\n\nid: 4\nevent: session\ndata: {\ndata:}\n\n").events(SESSION_ID))
    assert [(one.event, one.data, one.id) for one in events] == [("session", "{\n}", "4")]


def test_an_event_that_the_end_cuts_off_is_dropped() -> None:
    assert list(client_of("id: 1\nevent: session\ndata: {").events(SESSION_ID)) == []


def test_a_keep_alive_after_an_event_is_not_a_state() -> None:
    first, last = (json.dumps(session_state(state)) for state in ("processing", "completed"))
    body = f"id: 1\nevent: session\ndata: {first}\n\n: ping\n\nevent: session\ndata: {last}\n\n"
    assert [one["state"] for one in follow(client_of(body), SESSION_ID)] == ["processing", "completed"]


def test_another_program_at_the_address_is_said() -> None:
    with pytest.raises(CommandError) as caught:
        list(client_of("<html>", media_type="text/html").events(SESSION_ID))
    assert caught.value.code == "NOT_A_GATEWAY"
