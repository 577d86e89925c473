"""The five services as one process with fake answers.

`python -m tests.fakes.servers COUNTS_FILE SECONDS` writes its address to standard output as JSON, and one
line a call to the counts file.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import AsyncIterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc

from interview.v1 import (
    assessor_pb2,
    assessor_pb2_grpc,
    media_pb2,
    speaker_pb2,
    speaker_pb2_grpc,
    transcriber_pb2,
    transcriber_pb2_grpc,
    translator_pb2_grpc,
    vision_pb2,
    vision_pb2_grpc,
)
from tests.fakes.stages import (
    RUBRIC_IDS,
    a_diarization,
    a_transcript,
    a_translation,
    a_vision_report,
    an_assessment,
)


class FakeServers:
    """The five services over real sockets, each call counted in a file.

    Args:
        counts: Gets one line a call begun (`+stage key`) and a call finished (`-stage key`).
        seconds: How long each call takes.
        worker_count: How many answers they say that they work on at once. 0: they do not say it.
    """

    def __init__(self, counts: Path, seconds: float, worker_count: int = 0) -> None:
        self._counts = counts
        self._worker_count = worker_count
        self._seconds = seconds
        self._lock = threading.Lock()

    def note(self, line: str) -> None:
        with self._lock, self._counts.open("a") as file:
            file.write(line + "\n")

    async def follow(self, stage: str, key: str, make: Any, last: Any) -> AsyncIterator[Any]:
        self.note(f"+{stage} {key}")
        for tenth in range(10):
            await asyncio.sleep(self._seconds / 10)
            yield make(progress=media_pb2.Progress(done_s=float(tenth + 1), total_s=10.0))
        self.note(f"-{stage} {key}")
        yield make(**last)

    def add_to(self, server: grpc.aio.Server) -> None:
        fakes = self

        class Transcriber(transcriber_pb2_grpc.TranscriberServiceServicer):
            async def Transcribe(self, requests: Any, context: Any) -> Any:
                opening = await anext(requests)
                last = {"transcript": a_transcript()}
                key = _answer_of(opening.config.recording.uri)
                async for reply in fakes.follow("transcribe", key, transcriber_pb2.TranscribeResponse, last):
                    yield reply

        class Vision(vision_pb2_grpc.VisionServiceServicer):
            async def Analyze(self, requests: Any, context: Any) -> Any:
                opening = await anext(requests)
                last = {"report": a_vision_report()}
                key = _answer_of(opening.config.recording.uri)
                async for reply in fakes.follow("vision", key, vision_pb2.AnalyzeResponse, last):
                    yield reply

        class Speaker(speaker_pb2_grpc.SpeakerServiceServicer):
            async def Diarize(self, requests: Any, context: Any) -> Any:
                opening = await anext(requests)
                last = {"diarization": a_diarization()}
                key = _answer_of(opening.config.recording.uri)
                async for reply in fakes.follow("speaker", key, speaker_pb2.DiarizeResponse, last):
                    yield reply

        class Translator(translator_pb2_grpc.TranslatorServiceServicer):
            async def Translate(self, request: Any, context: Any) -> Any:
                fakes.note(f"+translate {request.context}")
                await asyncio.sleep(fakes._seconds / 2)
                fakes.note(f"-translate {request.context}")
                return a_translation(request)

        class Assessor(assessor_pb2_grpc.AssessorServiceServicer):
            async def Assess(self, request: Any, context: Any) -> Any:
                fakes.note(f"+assess {request.question}")
                await asyncio.sleep(fakes._seconds / 2)
                fakes.note(f"-assess {request.question}")
                return assessor_pb2.AssessResponse(assessment=an_assessment())

            async def GetCapabilities(self, request: Any, context: Any) -> Any:
                told: dict[str, Any] = {"rubric_ids": RUBRIC_IDS, "worker_count": fakes._worker_count}
                return assessor_pb2.AssessorServiceGetCapabilitiesResponse(**told)

        transcriber_pb2_grpc.add_TranscriberServiceServicer_to_server(Transcriber(), server)
        vision_pb2_grpc.add_VisionServiceServicer_to_server(Vision(), server)
        speaker_pb2_grpc.add_SpeakerServiceServicer_to_server(Speaker(), server)
        translator_pb2_grpc.add_TranslatorServiceServicer_to_server(Translator(), server)
        assessor_pb2_grpc.add_AssessorServiceServicer_to_server(Assessor(), server)


def _answer_of(uri: str) -> str:
    """Name a call by its answer: `…/media/2.mp4` and `…/outputs/2/extract-….wav` are both answer 2."""
    parts = uri.split("/")
    return parts[-2] if "outputs" in parts else Path(parts[-1]).stem


async def _serve(counts: Path, seconds: float) -> None:
    server = grpc.aio.server(futures.ThreadPoolExecutor(2))
    FakeServers(counts, seconds).add_to(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(json.dumps({"address": f"127.0.0.1:{port}", "begin_s": time.time()}) + "\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), float(sys.argv[2])))
