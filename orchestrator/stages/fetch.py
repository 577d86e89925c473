"""The stage `fetch`: a link → the recording in the store. Only answers with a link have it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

from interview.v1 import orchestrator_pb2
from orchestrator.links.downloading import Downloader, DownloadLimits
from orchestrator.links.link_addresses import any_address, is_public
from orchestrator.links.link_requests import LinkRules
from orchestrator.settings import OrchestratorSettings
from orchestrator.stages.fetch_attempts import FetchAttempts
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import Limits
from orchestrator.stages.stage import Call, Defaults, OnProgress, Service, Stage, Task, Upstream
from orchestrator.stages.work_folder import has_room, work_folder
from orchestrator.workflow import FETCH


@dataclass(frozen=True)
class FetchRequest:
    """A link, where its recording is to lie (a key without its extension), and where tries are counted."""

    link: str
    media_stem: str
    count_key: str


class Fetch(Stage):
    """See `Stage`."""

    name = FETCH
    output_class = orchestrator_pb2.FetchedRecording
    weight = 0.05
    # A download costs next to nothing but its place, and a slow one must not keep others from theirs.
    defaults = Defaults(timeout_s=300.0, place_count=8)

    def connect(self, limits: Limits) -> Service:
        """See `Stage`. The work is done here."""
        settings, media = self.parts.settings, self.parts.media
        attempts = FetchAttempts(media)
        downloader = _downloader(settings, self.timeout_s)

        async def fetch(request: FetchRequest, on_progress: OnProgress) -> object:
            async with attempts.counted(request.count_key):
                with work_folder(settings.spool_dir) as folder:
                    path = folder / "recording"
                    received = await downloader.download(request.link, path, on_progress)
                    key = f"{request.media_stem}{received.extension}"
                    await media.put_file(key, path)
            return orchestrator_pb2.FetchedRecording(
                uri=media.uri(key),
                file_name=f"video_{key.rpartition('/')[2]}",
                digest=received.digest,
                media_bytes=received.size_bytes,
            )

        return fetch

    async def find_again(self) -> bool:
        """See `Stage`. It is away while its disk is full."""
        settings = self.parts.settings
        return await asyncio.to_thread(has_room, settings.spool_dir, settings.max_fetch_bytes)

    async def call(self, task: Task, upstream: Upstream) -> Call:
        """See `Stage`."""
        position = task.answer.position if task.answer.HasField("position") else task.place
        session_id, link = task.session.session_id, task.answer.link
        input_hash = fingerprint(self.name, link)
        output_key = upstream.store.output_key(session_id, task.place, self.name, input_hash)
        request = FetchRequest(
            link=link,
            media_stem=f"sessions/{session_id}/media/{position}",
            count_key=output_key.removesuffix(".pb") + ".begun",
        )
        return Call(input_hash, lambda on_progress: self.service(request, on_progress))


def _downloader(settings: OrchestratorSettings, timeout_s: float) -> Downloader:
    limits = DownloadLimits(
        settings.max_fetch_bytes, timeout_s, settings.min_fetch_bytes_per_s, settings.fetch_stall_s
    )
    rules = LinkRules(
        hosts=settings.link_hosts,
        drive_host=urlsplit(settings.drive_download_url).hostname or "",
        is_allowed=any_address if settings.allow_private_links else is_public,
    )
    return Downloader(limits, settings.drive_download_url, rules=rules)
