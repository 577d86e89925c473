"""gRPC edge of the translator: unpack, call, pack. See `protos/interview/v1/translator.proto`."""

from __future__ import annotations

import grpc

from chassis.model_info import ModelInfo
from chassis.telemetry import BILLED_CHARACTERS, TOKENS
from chassis.workers import Workers
from interview.v1 import media_pb2, translator_pb2, translator_pb2_grpc
from services.translator.engine import Translator
from services.translator.job import Formality, Job, Translation, Translations

SERVICE_NAME = "interview.v1.TranslatorService"

_FORMALITIES = {
    translator_pb2.FORMALITY_PREFER_MORE: Formality.PREFER_MORE,
    translator_pb2.FORMALITY_PREFER_LESS: Formality.PREFER_LESS,
}


class TranslatorServicer(translator_pb2_grpc.TranslatorServiceServicer):
    """Serves one translator.

    Args:
        translator: Does the work.
        workers: The threads that it is done in.
    """

    def __init__(self, translator: Translator, workers: Workers) -> None:
        self._translator = translator
        self._workers = workers

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register with a gRPC server."""
        translator_pb2_grpc.add_TranslatorServiceServicer_to_server(self, server)

    async def Translate(
        self, request: translator_pb2.TranslateRequest, context: grpc.aio.ServicerContext
    ) -> translator_pb2.TranslateResponse:
        """See `protos/interview/v1/translator.proto`."""
        job = _to_job(request)
        done = await self._workers.run(
            # Asked in the thread: the wait for a free one counts.
            lambda stop: self._translator.translate(job, context.time_remaining(), stop)
        )
        _count(done)
        return translator_pb2.TranslateResponse(
            translations=[_to_translation(translation) for translation in done.translations],
            billed_character_count=done.billed_character_count,
            model=_to_model_info(done.model),
            prompt_digest=self._translator.prompt_digest if done.model.name else "",
        )

    async def GetCapabilities(
        self,
        request: translator_pb2.TranslatorServiceGetCapabilitiesRequest,  # noqa: ARG002 - it is empty
        context: grpc.aio.ServicerContext,
    ) -> translator_pb2.TranslatorServiceGetCapabilitiesResponse:
        """See `protos/interview/v1/translator.proto`."""
        known = await self._workers.run(
            lambda stop: self._translator.capabilities(context.time_remaining(), stop)
        )
        return translator_pb2.TranslatorServiceGetCapabilitiesResponse(
            backend=known.backend,
            model=_to_model_info(known.model),
            source_language_codes=known.languages.source_codes,
            target_language_codes=known.languages.target_codes,
            worker_count=self._workers.worker_count,
        )

    async def GetUsage(
        self,
        request: translator_pb2.TranslatorServiceGetUsageRequest,  # noqa: ARG002 - it is empty
        context: grpc.aio.ServicerContext,
    ) -> translator_pb2.TranslatorServiceGetUsageResponse:
        """See `protos/interview/v1/translator.proto`."""
        backend, used = await self._workers.run(
            lambda stop: self._translator.usage(context.time_remaining(), stop)
        )
        return translator_pb2.TranslatorServiceGetUsageResponse(
            backend=backend,
            billed_character_count=used.billed_character_count,
            limit_character_count=used.limit_character_count,
        )


def _to_job(request: translator_pb2.TranslateRequest) -> Job:
    return Job(
        texts=tuple(request.texts),
        source_language_code=request.source_language_code,
        target_language_code=request.target_language_code,
        context=request.context,
        formality=_FORMALITIES.get(request.formality, Formality.UNSPECIFIED),
        glossary_id=request.glossary_id,
    )


def _to_translation(translation: Translation) -> translator_pb2.Translation:
    return translator_pb2.Translation(
        text=translation.text,
        outcome=translation.outcome.value,
        reason=translation.reason,
        doubts=translation.doubts,
    )


def _to_model_info(model: ModelInfo) -> media_pb2.ModelInfo:
    return media_pb2.ModelInfo(name=model.name, version=model.version, device=model.device)


def _count(done: Translations) -> None:
    BILLED_CHARACTERS.inc(done.billed_character_count or 0)
    TOKENS.labels("prompt").inc(done.prompt_token_count)
    TOKENS.labels("completion").inc(done.completion_token_count)
