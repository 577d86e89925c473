"""The stage `fetch`: a link → the recording in the store. Only answers with a link have it."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.scratch import scratch_folder
from interview.v1 import orchestrator_pb2
from orchestrator.stages.downloading import Downloader, DownloadLimits
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import Limits
from orchestrator.stages.stage import Call, Defaults, OnProgress, Service, Stage, Task, Upstream
from orchestrator.workflow import FETCH


@dataclass(frozen=True)
class FetchRequest:
    """A link, and where its recording is to lie: a key without its extension."""

    link: str
    media_stem: str


class Fetch(Stage):
    """See `Stage`."""

    name = FETCH
    output_class = orchestrator_pb2.FetchedRecording
    weight = 0.05
    defaults = Defaults(timeout_s=300.0)

    def connect(self, limits: Limits) -> Service:
        """See `Stage`. The work is done here."""
        settings, media = self.parts.settings, self.parts.media
        downloader = Downloader(
            DownloadLimits(settings.max_fetch_bytes, self.timeout_s),
            settings.drive_download_url,
            allow_private=settings.allow_private_links,
        )

        async def fetch(request: FetchRequest, on_progress: OnProgress) -> object:
            with scratch_folder(settings.spool_dir) as folder:
                path = folder / "recording"
                download = await downloader.download(request.link, path, on_progress)
                key = f"{request.media_stem}{download.extension}"
                await media.put_file(key, path)
            return orchestrator_pb2.FetchedRecording(
                uri=media.uri(key),
                file_name=f"video_{key.rpartition('/')[2]}",
                digest=download.digest.hexdigest(),
                media_bytes=download.size_bytes,
            )

        return fetch

    async def call(self, task: Task, upstream: Upstream) -> Call:
        """See `Stage`."""
        position = task.answer.position if task.answer.HasField("position") else task.place
        media_stem = f"sessions/{task.session.session_id}/media/{position}"
        request = FetchRequest(task.answer.link, media_stem)
        return Call(
            fingerprint(self.name, request.link), lambda on_progress: self.service(request, on_progress)
        )
