"""What a client may upload in a time, and what is counted of it."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from limits.aio.storage import MemoryStorage
from limits.errors import StorageError

from chassis.errors import ExhaustedError, UnavailableError
from chassis.store import MediaStore
from gateway.callers import Client
from gateway.places import places_of_uploads
from gateway.quotas import UploadQuotas
from gateway.rates import Rates, limited_as
from gateway.usage import KEPT_DAYS, Usage, Used
from tests.gateway_bench import MP4, Bench, api_key, form, videos

pytestmark = pytest.mark.anyio

ANA, BEN = Client("key:ana", key_sha256="a"), Client("key:ben", key_sha256="b")


class Clock:
    """Goes forward when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Away(MemoryStorage):
    """Counters that can't be reached."""

    STORAGE_SCHEME = ["async+away"]  # noqa: RUF012  # as the library has it

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        raise StorageError(OSError("refused"))

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        raise StorageError(OSError("refused"))


class World:
    """Quotas with all that they count by."""

    def __init__(self, folder: Path, uploads: str = "", sizes: str = "", shared: Any = None) -> None:
        self.clock = Clock()
        self.usage = Usage(MediaStore(folder.as_uri()))
        self.quotas = UploadQuotas(Rates(shared, self.clock), self.usage, uploads, sizes)

    async def upload(self, client: Client = ANA, media_bytes: int = 1, said: int | None = None) -> None:
        async with self.quotas.share(client, media_bytes if said is None else said) as share:
            share.media_bytes = media_bytes

    async def refusal(self, client: Client = ANA, media_bytes: int = 1) -> tuple[str, float]:
        with pytest.raises(ExhaustedError) as raised:
            await self.upload(client, media_bytes)
        return raised.value.reason, raised.value.retry_after_s or 0


async def test_the_window_moves_along_and_says_when_there_is_room(tmp_path: Path) -> None:
    world = World(tmp_path, "2/minute")
    await world.upload()
    world.clock.now_s += 40
    await world.upload()

    assert await world.refusal() == ("RATE_LIMITED", 20.0)
    await world.upload(BEN)  # each client has a share of its own
    world.clock.now_s += 20
    await world.upload()
    assert await world.refusal() == ("RATE_LIMITED", 40.0)


async def test_an_upload_that_is_refused_does_not_count(tmp_path: Path) -> None:
    world = World(tmp_path, "1/minute", "20000/day")
    for error in (UnavailableError("Away.", reason="STORE_UNAVAILABLE"), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            async with world.quotas.share(ANA, 20_000) as share:
                share.media_bytes = 20_000
                raise error

    assert await world.usage.by_day(1) == []
    await world.upload(media_bytes=20_000)


async def test_uploads_at_the_same_time_share_the_quota(tmp_path: Path) -> None:
    world = World(tmp_path, "2/minute", "20000/day")
    async with world.quotas.share(ANA, 8_000), world.quotas.share(ANA, 8_000):
        assert await world.refusal() == ("RATE_LIMITED", 10.0)
        await world.upload(BEN, 20_000)
    world = World(tmp_path, "", "20000/day")
    async with world.quotas.share(ANA, 15_000):
        assert await world.refusal(media_bytes=6_000) == ("BYTE_QUOTA_EXCEEDED", 10.0)
        await world.upload(media_bytes=5_000)


async def test_bytes_have_a_quota_and_come_back_with_time(tmp_path: Path) -> None:
    world = World(tmp_path, "", "100000/hour")
    world.clock.now_s = 3600.0 * 10
    await world.upload(media_bytes=60_000)
    reason, wait_s = await world.refusal(media_bytes=60_000)

    assert reason == "BYTE_QUOTA_EXCEEDED"
    world.clock.now_s += wait_s - 2
    await world.refusal(media_bytes=60_000)
    world.clock.now_s += 3
    await world.upload(media_bytes=60_000)


async def test_an_upload_without_a_length_counts_in_full(tmp_path: Path) -> None:
    world = World(tmp_path, "", "100000/hour")
    await world.upload(media_bytes=250_000, said=0)

    assert (await world.refusal())[0] == "BYTE_QUOTA_EXCEEDED"


async def test_a_keys_own_limits_go_before_those_of_everybody(tmp_path: Path) -> None:
    world = World(tmp_path, "1/minute", "20000/day")
    rich = Client("key:rich", upload_rate="3/minute", byte_rate="50000/day")
    for _ in range(3):
        await world.upload(rich, 16_000)

    assert (await world.refusal(rich))[0] == "RATE_LIMITED"


async def test_clients_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    world = World(tmp_path, "2/minute", "20000/minute")
    await world.upload()
    world.clock.now_s += 180
    await world.upload(BEN)

    assert len(world.quotas._rates._own) == 2
    assert not world.quotas._under_way


async def test_a_host_whose_clock_is_set_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, "1/hour", "20000/hour")
    await world.upload(media_bytes=20_000)
    for wall_s in (4e9, 1e9):
        monkeypatch.setattr("time.time", lambda wall_s=wall_s: wall_s)
        reason, wait_s = await world.refusal()
        assert reason == "RATE_LIMITED"
        assert 3590 < wait_s <= 3600


async def test_no_rate_is_no_limit(tmp_path: Path) -> None:
    world = World(tmp_path)
    for _ in range(100):
        await world.upload()


async def test_replicas_with_shared_counters_grant_one_share_together(tmp_path: Path) -> None:
    shared = MemoryStorage()
    first, second = (World(tmp_path, "2/hour", "20000/hour", shared) for _ in range(2))
    await first.upload(media_bytes=10_000)
    await second.upload(media_bytes=10_000)

    assert (await first.refusal())[0] == (await second.refusal())[0] == "RATE_LIMITED"


async def test_shared_counters_that_are_away_leave_each_replica_its_own(tmp_path: Path) -> None:
    world = World(tmp_path, "1/hour", shared=Away())
    await world.upload()

    assert (await world.refusal())[0] == "RATE_LIMITED"


def test_an_ipv6_client_is_its_network_and_a_key_is_itself() -> None:
    assert limited_as("2001:db8::1") == limited_as("2001:db8::2") == "2001:db8::/64"
    assert limited_as("::ffff:192.0.2.1") == limited_as("192.0.2.1") == "192.0.2.1"
    assert limited_as("key:ana") == "key:ana"


async def test_usage_is_added_up_by_day_and_key_over_replicas_and_restarts(tmp_path: Path) -> None:
    store, days = MediaStore(tmp_path.as_uri()), [date(2026, 1, 31)]
    for _ in range(2):
        usage = Usage(store, lambda: days[0])
        await usage.add(ANA, 5)
        await usage.add(ANA, 0)
        await usage.add(Client("192.0.2.1"), 7)
    days[0] = date(2026, 2, 1)
    await usage.add(BEN, 1)

    january = (date(2026, 1, 31), ANA.name, Used(2, 4, 10))
    assert await usage.by_day(2) == [(date(2026, 2, 1), BEN.name, Used(1, 1, 1)), january]
    assert len(await usage.by_day(1)) == 1


async def test_usage_goes_after_a_year_and_a_file_that_breaks_is_left_out(tmp_path: Path) -> None:
    store, days = MediaStore(tmp_path.as_uri()), [date(2026, 1, 1)]
    usage = Usage(store, lambda: days[0])
    await usage.add(ANA, 5)
    days[0] = date.fromordinal(days[0].toordinal() + KEPT_DAYS + 1)
    await usage.add(ANA, 6)
    await store.put_bytes(f"usage/{days[0].isoformat()}/other.json", b"{")

    assert [used for _, _, used in await usage.by_day(400)] == [Used(1, 1, 6)]
    assert len(await store.list("usage")) == 2


async def test_an_admin_sees_what_was_accepted_and_nothing_of_what_was_refused(tmp_path: Path) -> None:
    keys = (api_key("s3cret", "hr"), api_key("root", "ops", scopes=("admin",)))
    bench = Bench(tmp_path, api_keys=keys, rate_limit_uploads="1/hour")
    hr, ops = {"X-API-Key": "s3cret"}, {"X-API-Key": "root"}

    wrong = await bench.http.post("/upload", files=videos(b"text"), data=form("?"), headers=hr)
    right = await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=hr)
    third = await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=hr)
    usage = await bench.http.get("/usage?days=2", headers=ops)

    assert [reply.status_code for reply in (wrong, right, third)] == [415, 200, 429]
    assert 3500 < int(third.headers["Retry-After"]) <= 3600
    assert (await bench.http.get("/usage", headers=hr)).status_code == 403
    (day,) = usage.json()["days"]
    assert day | {"day": ""} == {
        "day": "",
        "key": "key:hr",
        "upload_count": 1,
        "session_count": 1,
        "media_bytes": len(MP4),
    }


def test_one_client_leaves_places_for_the_others() -> None:
    places = places_of_uploads(3, 2)
    with places.taken(ANA), places.taken(ANA):
        with pytest.raises(ExhaustedError) as own, places.taken(ANA):
            pass
        with places.taken(BEN), pytest.raises(ExhaustedError) as all_taken, places.taken(BEN):
            pass
    with places.taken(ANA):
        pass

    assert own.value.reason == "UPLOADS_OF_CLIENT_FULL"
    assert all_taken.value.reason == "UPLOADS_FULL"
    assert not places._taken
