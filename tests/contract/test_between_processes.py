"""mTLS between the processes, and who may call what, over real sockets."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis import client, identity
from chassis.errors import ForbiddenError, InterviewError, PreconditionError, UnavailableError
from chassis.identity import CALL_TOKEN_KEY, Identity, TlsFiles
from chassis.server import start_server
from chassis.settings import ServiceSettings, SettingsError, load_settings
from interview.v1 import speaker_pb2, speaker_pb2_grpc
from tests.certificates import DAY, Authority
from tests.folders import ROOT
from tests.stage_world import SERVICE

pytestmark = pytest.mark.anyio

NOBODY = Identity()
ASKED = speaker_pb2.SpeakerServiceGetCapabilitiesRequest()


class Speaker(speaker_pb2_grpc.SpeakerServiceServicer):
    """Answers at once."""

    async def GetCapabilities(self, request: Any, context: Any) -> Any:
        return speaker_pb2.SpeakerServiceGetCapabilitiesResponse(worker_count=7)

    async def Diarize(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:
        yield speaker_pb2.DiarizeResponse()


@asynccontextmanager
async def speaker(own: Identity, **settings: Any) -> AsyncIterator[str]:
    """Run a stage with an identity, and yield its address."""
    server, _, port = await start_server(
        ServiceSettings(port=0, **settings),
        SERVICE,
        lambda s: speaker_pb2_grpc.add_SpeakerServiceServicer_to_server(Speaker(), s),
        identity=own,
    )
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
        await asyncio.sleep(0.05)  # gRPC's last events of a failed handshake belong to this loop


async def ask(address: str, caller: Identity, metadata: client.Metadata = ()) -> int:
    async with client.open_channel(address, caller) as channel:
        stub: Any = speaker_pb2_grpc.SpeakerServiceStub(channel)
        reply = await client.unary(
            stub.GetCapabilities, ASKED, timeout_s=20, retry=client.NO_RETRY, metadata=metadata
        )
        return int(reply.worker_count)


async def diarize(address: str, caller: Identity) -> int:
    async def requests() -> AsyncIterator[Any]:
        yield speaker_pb2.DiarizeRequest()

    async with client.open_channel(address, caller) as channel:
        stub: Any = speaker_pb2_grpc.SpeakerServiceStub(channel)
        return len([reply async for reply in client.stream(stub.Diarize, requests(), timeout_s=20)])


async def refusal(call: Any) -> InterviewError:
    with pytest.raises(InterviewError) as caught:
        await call
    return caught.value


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.new(tmp_path / "certificates")


async def test_a_caller_whose_certificate_the_authority_signed_gets_its_answer(authority: Authority) -> None:
    async with speaker(authority.identity("speaker")) as address:
        assert await ask(address, authority.identity("orchestrator")) == 7


async def test_a_caller_without_a_certificate_is_refused(authority: Authority) -> None:
    own = authority.identity("speaker")
    async with speaker(own) as address:
        assert isinstance(await refusal(ask(address, NOBODY)), UnavailableError)
        only_authority = grpc.ssl_channel_credentials(own.tls.ca.read_bytes() if own.tls else None)
        async with grpc.aio.secure_channel(address, only_authority) as channel:
            stub: Any = speaker_pb2_grpc.SpeakerServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.GetCapabilities(ASKED, timeout=20)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_a_certificate_of_another_authority_and_one_that_is_over_are_refused(
    authority: Authority, tmp_path: Path
) -> None:
    other = Authority.new(tmp_path / "other", "other").identity("orchestrator")
    assert other.tls is not None
    own = authority.identity("speaker")
    assert own.tls is not None
    stranger = Identity(TlsFiles(other.tls.cert, other.tls.key, own.tls.ca))
    old = authority.identity("orchestrator", age=10 * DAY)
    async with speaker(own) as address:
        for caller in (stranger, old):
            assert isinstance(await refusal(ask(address, caller)), UnavailableError)


async def test_a_server_of_another_name_gets_no_call(authority: Authority, tmp_path: Path) -> None:
    async with speaker(authority.identity("speaker")) as address:
        name = address.replace("127.0.0.1", "127.0.0.2")  # not in its certificate
        assert isinstance(await refusal(ask(name, authority.identity("orchestrator"))), UnavailableError)


async def test_a_method_outside_a_callers_list_is_forbidden(authority: Authority) -> None:
    allowed = {"orchestrator": ("*",), "monitor": ("GetCapabilities",)}
    async with speaker(authority.identity("speaker"), allowed_callers=allowed) as address:
        assert await diarize(address, authority.identity("orchestrator")) == 1
        assert await ask(address, authority.identity("monitor")) == 7

        forbidden = await refusal(diarize(address, authority.identity("monitor")))
        unknown = await refusal(ask(address, authority.identity("guest")))

    assert isinstance(forbidden, ForbiddenError)
    assert (forbidden.reason, unknown.reason) == ("CALLER_FORBIDDEN", "CALLER_UNKNOWN")


async def test_the_log_names_who_called_also_where_the_call_is_refused(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    allowed = {"orchestrator": ("*",), "monitor": ("Diarize",)}
    with caplog.at_level(logging.INFO, "chassis.interceptors"):
        async with speaker(authority.identity("speaker"), allowed_callers=allowed) as address:
            await ask(address, authority.identity("orchestrator"))
            for name in ("monitor", "guest"):
                await refusal(ask(address, authority.identity(name)))

    calls = [vars(record) for record in caplog.records if record.msg == "call"]
    assert [(line["caller"], line["reason"]) for line in calls] == [
        ("orchestrator", ""),
        ("monitor", "CALLER_FORBIDDEN"),
        ("guest", "CALLER_UNKNOWN"),
    ]


async def test_the_name_that_every_certificate_has_is_nobodys(authority: Authority) -> None:
    allowed = {"localhost": ("*",), "127.0.0.1": ("*",)}
    async with speaker(authority.identity("speaker"), allowed_callers=allowed) as address:
        assert (await refusal(ask(address, authority.identity("guest")))).reason == "CALLER_UNKNOWN"


async def test_a_caller_without_a_certificate_is_known_by_its_token() -> None:
    settings = {
        "allowed_callers": {"batch": ("GetCapabilities",)},
        "caller_token_digests": {"batch": hashlib.sha256(b"a long secret").hexdigest()},
    }
    async with speaker(NOBODY, **settings) as address:
        assert await ask(address, NOBODY, ((CALL_TOKEN_KEY, "a long secret"),)) == 7
        for token in ("another", "", "batch"):
            error = await refusal(ask(address, NOBODY, ((CALL_TOKEN_KEY, token),) if token else ()))
            assert error.reason == "CALLER_UNKNOWN"


async def test_a_replaced_certificate_is_used_without_a_restart(authority: Authority) -> None:
    own = authority.identity("speaker", age=10 * DAY)
    async with speaker(own) as address:
        caller = authority.identity("orchestrator")
        assert isinstance(await refusal(ask(address, caller)), UnavailableError), "the server's own is over"

        authority.identity("speaker")

        assert await ask(address, caller) == 7


async def test_a_rotation_that_is_half_done_keeps_the_certificate_that_works(authority: Authority) -> None:
    own, other = authority.identity("speaker"), authority.identity("other")
    assert own.tls is not None
    assert other.tls is not None
    async with speaker(own) as address:
        caller = authority.identity("orchestrator")
        own.tls.key.write_bytes(other.tls.key.read_bytes())
        assert await ask(address, caller) == 7
        own.tls.key.unlink()
        assert await ask(address, caller) == 7


async def test_a_port_for_others_without_tls_is_warned_about_once(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "chassis.listening"):
        async with speaker(authority.identity("speaker"), host="0.0.0.0"), speaker(NOBODY):  # noqa: S104
            assert caplog.records == []
        async with speaker(NOBODY, host="0.0.0.0"):  # noqa: S104
            assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_the_environment_says_who_a_process_is(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = authority.identity("gateway").tls
    assert tls is not None
    identity.of_this_process.cache_clear()
    try:
        monkeypatch.setenv("PORT", "1")
        monkeypatch.setenv("INTERVIEW_TLS_CERT_FILE", str(tls.cert))
        with pytest.raises(PreconditionError) as caught:
            identity.of_this_process()
        assert caught.value.reason == "TLS_INCOMPLETE"

        monkeypatch.setenv("INTERVIEW_TLS_KEY_FILE", str(tls.key))
        monkeypatch.setenv("INTERVIEW_TLS_CA_FILE", str(tls.ca))
        monkeypatch.setenv("INTERVIEW_CALL_TOKEN", "secret")
        assert identity.of_this_process() == Identity(tls, "secret")
        assert "secret" not in repr(identity.of_this_process())

        monkeypatch.setenv("INTERVIEW_TLS_CA_FILE", str(tls.ca.with_name("missing.pem")))
        identity.of_this_process.cache_clear()
        with pytest.raises(SettingsError, match="INTERVIEW_TLS_"):
            load_settings(ServiceSettings)
    finally:
        monkeypatch.undo()
        identity.of_this_process.cache_clear()


async def test_the_health_check_of_a_container_uses_the_processes_own_certificate(
    authority: Authority,
) -> None:
    own = authority.identity("speaker")
    assert own.tls is not None
    names = {"CERT": own.tls.cert, "KEY": own.tls.key, "CA": own.tls.ca}
    variables = {f"INTERVIEW_TLS_{name}_FILE": str(path) for name, path in names.items()}
    async with speaker(own) as address:
        command = (sys.executable, "-m", "chassis.health_check", address.rpartition(":")[2])
        for more, status in ((variables, 0), ({}, 1)):
            check = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=os.environ | more)
            assert await asyncio.wait_for(check.wait(), 60) == status
