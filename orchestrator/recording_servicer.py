"""`OrchestratorService`, as far as recordings of sessions to come go: unpack, call, pack."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc

from interview.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from orchestrator.early.following import Following
from orchestrator.recordings import Recordings


class RecordingServicer(orchestrator_pb2_grpc.OrchestratorServiceServicer):
    """Serves recordings that are stored or on their way.

    Args:
        recordings: Takes them in.
        following: Has them worked on while they arrive.
    """

    def __init__(self, recordings: Recordings, following: Following) -> None:
        self._recordings = recordings
        self._following = following

    async def UploadRecording(  # noqa: N802 - the contract's name
        self,
        request_iterator: AsyncIterator[orchestrator_pb2.UploadRecordingRequest],
        _context: grpc.aio.ServicerContext,
    ) -> orchestrator_pb2.UploadRecordingResponse:
        """See `protos/interview/v1/orchestrator.proto`."""
        return await self._recordings.take_in(request_iterator)

    async def FollowRecording(  # noqa: N802 - the contract's name
        self, request: orchestrator_pb2.FollowRecordingRequest, _context: grpc.aio.ServicerContext
    ) -> orchestrator_pb2.FollowRecordingResponse:
        """See `protos/interview/v1/orchestrator.proto`."""
        followed = await self._following.follow(request)
        return orchestrator_pb2.FollowRecordingResponse(followed=followed)
