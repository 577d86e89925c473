"""Recordings that claim what they don't have, point elsewhere, or are something else as well. Made by code.

Nothing here runs code in anybody's software. Each is what a limit of ours is to stop.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

from tests.mp4_boxes import Claim, box, fragment, full_box, mp4, words


def wav(
    *, channel_count: int = 1, rate_hz: int = 16_000, claimed_bytes: int = 1_000, content: bytes = b""
) -> bytes:
    """Return a WAV that claims what is said."""
    block = 2 * channel_count & 0xFFFF
    shape = struct.pack("<HHIIHH", 1, channel_count, rate_hz, rate_hz * 2 & 0xFFFFFFFF, block, 16)
    content = content or bytes(1000)
    data = b"fmt " + struct.pack("<I", 16) + shape + b"data" + struct.pack("<I", claimed_bytes) + content
    return b"RIFF" + struct.pack("<I", claimed_bytes + 36 & 0xFFFFFFFF) + b"WAVE" + data


def playlists(secret: str, address: str) -> dict[str, bytes]:
    """Return files that ask a reader to open another one, by what they are.

    Args:
        secret: A path of this machine.
        address: `host:port` of a socket that listens.
    """
    url = f"http://{address}/v.mp4"
    hls = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{}\n#EXT-X-ENDLIST\n"
    dash = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
        f'<AdaptationSet><Representation id="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet>'
        "</Period></MPD>"
    )
    return {
        "hls_file": hls.format(f"file://{secret}").encode(),
        "hls_address": hls.format(url).encode(),
        "hls_concat": hls.format(f"concat:{url}|file:{secret}").encode(),
        "hls_crypto": hls.format(f"crypto+{url}").encode(),
        "hls_data_then_file": hls.format(f"subfile,,start,0,end,64,,:{secret}").encode(),
        "concat": f"ffconcat version 1.0\nfile '{secret}'\nfile '{url}'\n".encode(),
        "dash": dash.encode(),
        "sdp": f"v=0\no=- 0 0 IN IP4 {address.partition(':')[0]}\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=audio {address.rpartition(':')[2]} RTP/AVP 0\n".encode(),
        "smil": f'<smil><body><video src="{url}"/></body></smil>'.encode(),
        "asx": f'<asx version="3.0"><entry><ref href="{url}"/></entry></asx>'.encode(),
        "mp4_dref_file": mp4(Claim(outside=f"file://{secret}")),
        "mp4_dref_path": mp4(Claim(outside=secret)),
        "mp4_dref_address": mp4(Claim(outside=url)),
        "mov_reference_movie": _reference_movie(url),
        "mov_reference_file": _reference_movie(f"file://{secret}"),
        "imf": f'<CompositionPlaylist xmlns="x"><Path>{url}</Path></CompositionPlaylist>'.encode(),
        "vobsub": f"# VobSub index file, v7\nid: en, index: 0\n{secret}".encode(),
        "image_sequence": f"{secret}%d.png".encode(),
        "lavfi": f"movie={secret}".encode(),
    }


def _reference_movie(url: str) -> bytes:
    """Return a QuickTime reference movie: the picture lies elsewhere."""
    reference = full_box(b"rdrf", b"url ", words(len(url) + 1), url.encode() + b"\0")
    return box(b"ftyp", b"qt  ", words(0), b"qt  ") + box(b"moov", box(b"rmra", box(b"rmda", reference)))


def polyglots(video: bytes, secret: str, address: str) -> dict[str, bytes]:
    """Return files that are two things at once, the one of which asks for another file."""
    hls = playlists(secret, address)["hls_file"]
    return {
        "mp4_after_playlist": hls + video,
        "playlist_in_first_box": box(b"free", hls) + video,
        "playlist_in_box": video + box(b"free", hls),
        "playlist_after_mp4": video + hls,
        "avi_with_playlist": b"RIFF" + struct.pack("<I", len(hls) + 4) + b"AVI " + hls,
        "gif_and_mp4": b"GIF89a" + bytes(10) + video,
        "zip_after_mp4": video + b"PK\x03\x04" + bytes(40) + b"PK\x05\x06" + bytes(18),
        "html_in_free": box(b"free", f'<script src="http://{address}/"></script>'.encode()) + video,
        "pdf_and_mp4": b"%PDF-1.4\n" + video,
    }


def bombs() -> dict[str, bytes]:
    """Return small files that claim to be large, by what they claim."""
    return {
        "samples": mp4(Claim(sample_count=10_000_000, sample_bytes=1, ticks=1)),
        "many_samples": mp4(Claim(sample_count=0xFFFFFFFF, sample_bytes=1, ticks=1)),
        "fragments": mp4(Claim(sample_count=0, sample_bytes=1), fragments=fragment(1, *[20_000_000] * 20)),
        "edits": mp4(Claim(sample_count=100_000, sample_bytes=1, ticks=1, edit_count=20_000)),
        "pixels": mp4(Claim(codec=b"raw ", size_px=(65_535, 65_535))),
        "thin_picture": mp4(Claim(codec=b"raw ", size_px=(65_535, 16))),
        "channels": mp4(Claim(codec=b"sowt", is_sound=True, channel_count=65_535)),
        "sampling_rate": wav(rate_hz=0x7FFFFFFF),
        "wav_channels": wav(channel_count=65_535),
        "length": mp4(Claim(sample_count=100, ticks=40_000_000)),
        "pcm_length": mp4(Claim(0x7FFFFFFF, 4, b"sowt", is_sound=True, ticks=1)),
        "tracks": mp4(*[Claim()] * 3_000),
        "boxes": box(b"ftyp", b"isom", words(0), b"isom") + box(b"moov", box(b"free") * 1_200_000),
        "nesting": _nested(b"moov", 2_000),
    }


def _nested(name: bytes, depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = box(name, content)
    return box(b"ftyp", b"isom", words(0), b"isom") + content


def growing_picture(path: Path, *, claimed: tuple[int, int], real: tuple[int, int]) -> Path:
    """Write an AVI that claims a small picture, and whose pictures are large."""
    import av
    import numpy as np

    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = *real, "yuvj420p"
        for _ in range(3):
            pixels = np.zeros((real[1], real[0], 3), np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    content = path.read_bytes()
    head, body = content[:4_096], content[4_096:]
    for shape in ("<II", "<HH"):
        head = head.replace(struct.pack(shape, *real), struct.pack(shape, *claimed))
    path.write_bytes(head + body)
    return path


def malformed(video: bytes) -> dict[str, bytes]:
    """Return an MP4 with wrong sizes in its boxes, by what is wrong."""
    places = [
        at - 4
        for name in (b"moov", b"trak", b"stsz", b"stsc", b"stco", b"esds")
        if (at := video.find(name)) > 0
    ]
    found = {}
    for number, at in enumerate(places):
        for size in (0, 1, 7, 9, 0x7FFFFFFF, 0xFFFFFFFF):
            found[f"box_{number}_of_size_{size}"] = video[:at] + words(size) + video[at + 4 :]
    return found


def mutated(video: bytes, count: int, seed: int) -> list[bytes]:
    """Return copies of a recording with bytes changed, cut out, doubled or cut off. The same for a seed."""
    dice = random.Random(seed)
    return [_mutated(video, dice) for _ in range(count)]


def _mutated(video: bytes, dice: random.Random) -> bytes:
    content = bytearray(video)
    for _ in range(dice.choice((1, 3, 20, 200))):
        at = dice.randrange(len(content))
        kind = dice.randrange(5)
        if kind == 0:
            content[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            content[at : at + 4] = dice.choice((words(0), words(0xFFFFFFFF), words(0x7FFFFFFF), words(1)))
        elif kind == 2:
            del content[at : at + dice.randrange(1, 64)]
        elif kind == 3:
            content[at:at] = content[at : at + dice.randrange(1, 64)]
        else:
            content[at : at + 16] = dice.randbytes(16)
    if dice.random() < 0.1:
        del content[dice.randrange(1, len(content)) :]
    return bytes(content)


def write_all(folder: Path, files: dict[str, bytes], suffix: str = ".mp4") -> dict[str, Path]:
    """Write files into a folder, each under what it is called."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}{suffix}" for name in files}
    for name, path in paths.items():
        path.write_bytes(files[name])
    return paths
