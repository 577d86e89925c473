"""Where a link may lead: public addresses of allowed hosts, whatever the notation."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from chassis.errors import InvalidInputError
from orchestrator.links.drive_links import direct_link
from orchestrator.links.link_addresses import is_public, resolve_host
from orchestrator.links.link_requests import LinkRules, pinned_request
from tests.link_server import downloader, fetch, resolving

pytestmark = pytest.mark.anyio

PUBLIC = "93.184.216.34"
INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "192.168.0.1",
    "172.16.9.9",
    "169.254.169.254",
    "0.0.0.0",  # noqa: S104
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "::",
    "::1",
    "fd00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "::7f00:1",  # IPv4-compatible
    "::808:808",
    "::ffff:127.0.0.1",  # IPv4-mapped
    "::ffff:10.0.0.1",
    "::ffff:0:8.8.8.8",  # IPv4-translated
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",  # NAT64, local
    "64:ff9b:1::808:808",
    "2002:7f00:1::",  # 6to4
    "2002:a00:1::1",
    "2001:0:808:808::f7f7:f7f7",  # Teredo
    "2001:10::1",  # ORCHID
    "2001:20::1",
    "2001:2::1",  # benchmarks
    "2001:db8::1",
    "3ffe::1",
    "3fff::1",
    "5f00::1",  # segment routing
    "100::1",  # discarded
    "4000::1",  # unassigned
    "2606:4700::5efe:10.0.0.1",  # ISATAP
    "2606:4700::200:5efe:7f00:1",
    "no address",
    "",
]


@pytest.mark.parametrize("address", INSIDE)
async def test_a_link_to_an_address_inside_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await fetch(downloader(address), "https://innocent.example/v.mp4", tmp_path / "v")

    assert caught.value.reason == "LINK_FORBIDDEN"


@pytest.mark.parametrize(
    "address",
    [
        PUBLIC,
        "1.1.1.1",
        "2606:4700:4700::1111",
        "2a00:1450:4001:827::2004",
        "64:ff9b::808:808",  # a public host, as a network without IPv4 sees it
        "::ffff:8.8.8.8",
        "2002:808:808::1",
        "2606:4700::5efe:8.8.8.8",
    ],
)
def test_a_public_address_is_public_in_every_notation(address: str) -> None:
    assert is_public(address)


async def test_one_address_inside_among_public_ones_is_enough_to_refuse(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        await fetch(downloader(PUBLIC, "127.0.0.1"), "https://mixed.example/", tmp_path / "v")


@pytest.mark.parametrize(
    "host",
    ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]", "localhost"],
)
async def test_odd_notations_of_an_address_inside_are_judged_by_the_address(host: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await LinkRules().addresses(direct_link(f"http://{host}/v.mp4", ""))

    assert caught.value.reason in ("LINK_FORBIDDEN", "LINK_INVALID")


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example", ".example"])
async def test_a_host_whose_name_can_not_exist_is_a_bad_link(host: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await resolve_host(host, 80)

    assert caught.value.reason == "LINK_INVALID"


async def test_the_name_is_looked_up_once_and_the_checked_address_is_asked() -> None:
    looked_up: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return [PUBLIC] if len(looked_up) == 1 else ["127.0.0.1"]

    url = httpx.URL("https://User:secret@Files.Example:8443/a?x=1")
    (address,) = await LinkRules(resolve=resolve).addresses(url)
    request = pinned_request(url, address, {})

    assert looked_up == ["files.example"]
    assert str(request.url) == f"https://{PUBLIC}:8443/a?x=1"
    assert request.headers["host"] == "files.example:8443"
    assert request.extensions["sni_hostname"] == "files.example"
    assert "authorization" not in request.headers


async def test_a_name_in_another_script_is_asked_for_in_its_ascii_form() -> None:
    request = pinned_request(httpx.URL("https://bücher.example/a"), PUBLIC, {})

    assert request.headers["host"] == request.extensions["sni_hostname"] == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("files.example", True),
        ("FILES.example", True),
        ("files.example.", True),
        ("a.media.example", True),
        ("media.example", False),
        ("notmedia.example", False),
        ("files.example.evil.example", False),
        ("other.example", False),
        ("drive.google.com", True),
        ("hand.out.example", True),
        (PUBLIC, False),
    ],
)
async def test_only_hosts_of_the_list_are_asked(host: str, *, allowed: bool) -> None:
    hosts = ("Files.Example", ".media.example", "drive.google.com")
    rules = LinkRules(hosts, drive_host="hand.out.example", resolve=resolving(PUBLIC))
    url = httpx.URL(f"https://{host}/v.mp4")
    if allowed:
        assert await rules.addresses(url) == (PUBLIC,)
        return
    with pytest.raises(InvalidInputError, match="Allowed are") as caught:
        await rules.addresses(url)
    assert caught.value.reason == "LINK_HOST_FORBIDDEN"


async def test_the_host_that_hands_out_for_drive_is_only_allowed_where_drive_is() -> None:
    rules = LinkRules(("files.example",), drive_host="hand.out.example", resolve=resolving(PUBLIC))

    with pytest.raises(InvalidInputError):
        await rules.addresses(httpx.URL("https://hand.out.example/v.mp4"))
