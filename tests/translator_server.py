"""The translator on a real socket, over a local server that stands in for DeepL or a language model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chassis import client
from chassis.errors import (
    InterviewError,
)
from chassis.server import start_server
from interview.v1 import translator_pb2, translator_pb2_grpc
from services.translator.__main__ import compose
from services.translator.servicer import SERVICE_NAME
from services.translator.settings import TranslatorSettings
from tests.fakes.translator import KEY, FakeServer

MEANINGS = {
    "I fixed the broken scanner myself.": "Saya memperbaiki pemindai yang rusak sendiri.",
    "It took 3 days.": "Butuh 3 hari.",
}
SAID = tuple(MEANINGS)


@asynccontextmanager
async def translator(**settings: Any) -> AsyncIterator[translator_pb2_grpc.TranslatorServiceStub]:
    configured = TranslatorSettings(port=0, **settings)
    server, _, port = await start_server(configured, SERVICE_NAME, compose(configured))
    try:
        async with client.open_channel(f"127.0.0.1:{port}") as channel:
            yield translator_pb2_grpc.TranslatorServiceStub(channel)
    finally:
        await server.stop(None)


@asynccontextmanager
async def over_deepl(
    server: FakeServer, key: str = KEY, **settings: Any
) -> AsyncIterator[translator_pb2_grpc.TranslatorServiceStub]:
    with server.running():
        async with translator(TRANSLATOR_DEEPL_API_KEY=key, deepl_server_url=server.url, **settings) as stub:
            yield stub


@asynccontextmanager
async def over_llm(
    server: FakeServer, **settings: Any
) -> AsyncIterator[translator_pb2_grpc.TranslatorServiceStub]:
    with server.running():
        async with translator(llm_base_url=server.url, **settings) as stub:
            yield stub


def request(
    *texts: str, source: str = "en", target: str = "id", **fields: Any
) -> translator_pb2.TranslateRequest:
    return translator_pb2.TranslateRequest(
        texts=texts, source_language_code=source, target_language_code=target, **fields
    )


async def translate(
    stub: translator_pb2_grpc.TranslatorServiceStub,
    asked: translator_pb2.TranslateRequest,
    timeout_s: float = 10.0,
) -> translator_pb2.TranslateResponse:
    response: translator_pb2.TranslateResponse = await client.unary(
        stub.Translate, asked, timeout_s=timeout_s, retry=client.NO_RETRY
    )
    return response


async def failure(
    server: FakeServer, asked: translator_pb2.TranslateRequest, timeout_s: float = 10.0, **settings: Any
) -> InterviewError:
    async with over_deepl(server, **settings) as stub:
        with pytest.raises(InterviewError) as caught:
            await translate(stub, asked, timeout_s)
    return caught.value
