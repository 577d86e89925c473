"""A world in which a grey level says how many faces there are: fakes of the vision stage's models, and clips.

The meshes are a flat face of the points that the measures read, turned in 3-D.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from chassis.decoding.decoder import Decoder
from chassis.decoding.decoder_here import DecoderHere
from chassis.model_info import ModelInfo
from services.vision.attention import AttentionRules
from services.vision.engine import VisionAnalyzer, VisionOptions
from services.vision.faces import FaceBox
from services.vision.frames import FUNCTION, RgbImage
from services.vision.landmarks import POINT_COUNT, Mesh
from tests.recordings_made import scheduling_kept

NOBODY, ONE_FACE, TWO_FACES, SPECK = 20, 80, 140, 200
"""Grey levels: an empty picture, one face, two, and something too small to be sure of."""
TICKS_PER_S = 10_000
MODELS = (
    ModelInfo("fake-landmarker", "1", "ab" * 32, "cpu"),
    ModelInfo("fake-detector", "1", "cd" * 32, "cpu"),
)

EVERY_SAMPLE = VisionOptions(attention=AttentionRules(max_unseen_change=0))

Levels = Sequence[tuple[int, float]]
"""What is shown: (grey level, seconds)."""


@dataclass(frozen=True)
class Pose:
    """What a face does at one moment."""

    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    openness: float = 0.3
    iris: float = 0.0
    """Shift of both irises to the viewer's right, in eye widths."""
    mouth: float = 0.5
    """Width of the mouth in eye distances."""
    brow: float = 0.25
    """Height of the brows in eye distances."""


Act = Callable[[float], Pose]
"""The pose at a time in seconds."""

_EYE_WIDTH, _EYE_DISTANCE = 30.0, 100.0
_FIXED = {
    33: (-50, 0, 0),
    133: (-20, 0, 0),
    362: (20, 0, 0),
    263: (50, 0, 0),
    234: (-80, 10, 40),
    454: (80, 10, 40),
    152: (0, 120, 0),
    175: (0, 110, 0),
    17: (0, 90, 0),
    10: (0, -80, 0),
    151: (0, -65, 0),
    9: (0, -40, 0),
    13: (0, 69, 0),
    14: (0, 71, 0),
}
_UPPER_LIDS = {160: -40, 158: -30, 159: -35, 387: 40, 385: 30, 386: 35}
_LOWER_LIDS = {144: -40, 153: -30, 145: -35, 373: 40, 380: 30, 374: 35}
_BROWS = (70, 63, 105, 66, 107, 300, 293, 334, 296, 336)


def make_mesh(pose: Pose, *, middle: tuple[float, float] = (640.0, 360.0)) -> Mesh:
    """Make the mesh of a face in a pose."""
    mesh = np.zeros((POINT_COUNT, 3))
    points: dict[int, tuple[float, float, float]] = dict(_FIXED)
    lid = pose.openness * _EYE_WIDTH / 2
    points |= {point: (x, -lid, 0) for point, x in _UPPER_LIDS.items()}
    points |= {point: (x, lid, 0) for point, x in _LOWER_LIDS.items()}
    points |= {468: (-35 + pose.iris * _EYE_WIDTH, 0, 0), 473: (35 + pose.iris * _EYE_WIDTH, 0, 0)}
    half_mouth = pose.mouth * _EYE_DISTANCE / 2
    points |= {61: (-half_mouth, 70, 0), 291: (half_mouth, 70, 0)}
    points |= dict.fromkeys(_BROWS, (0, -pose.brow * _EYE_DISTANCE, 0))
    for point, place in points.items():
        mesh[point] = place
    turned: Mesh = mesh @ _turn(pose).T + (*middle, 0.0)
    return turned


def _turn(pose: Pose) -> np.ndarray:
    yaw, pitch = np.radians(pose.yaw_deg), np.radians(pose.pitch_deg)
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    return np.asarray(about_x @ about_y)


class FakeLandmarker:
    """Follows one face wherever the grey level says that there is one."""

    def __init__(self, act: Act = lambda _: Pose()) -> None:
        self.closed = False
        self.times_ms: list[int] = []
        self._act = act

    def find(self, image: RgbImage, time_ms: int) -> Mesh | None:
        self.times_ms.append(time_ms)
        shown = _shown(image)
        return make_mesh(self._act(time_ms / 1000)) if shown in (ONE_FACE, TWO_FACES) else None

    def close(self) -> None:
        self.closed = True


class FakeDetector:
    """Finds as many faces as the grey level says."""

    def __init__(self) -> None:
        self.closed = False

    def find(self, image: RgbImage) -> list[FaceBox]:
        width = image.shape[1]
        one = FaceBox(0.1 * width, 0, 0.2 * width, 0.2 * width, 0.9)
        other = one._replace(left=0.6 * width)
        speck = FaceBox(0.5 * width, 0, 0.02 * width, 0.02 * width, 0.4)
        found: dict[int, list[FaceBox]] = {ONE_FACE: [one], TWO_FACES: [one, other], SPECK: [speck]}
        return found.get(_shown(image), [])

    def close(self) -> None:
        self.closed = True


def _shown(image: RgbImage) -> int:
    mean = float(image.mean())
    return min((NOBODY, ONE_FACE, TWO_FACES, SPECK), key=lambda level: abs(level - mean))


def fake_analyzer(
    act: Act = lambda _: Pose(), options: VisionOptions | None = None, decoder: Decoder | None = None
) -> VisionAnalyzer:
    """An analyzer whose models read grey levels. Poses are not in the pictures, so all are looked at."""
    decoder = decoder or DecoderHere(FUNCTION)
    return VisionAnalyzer(lambda: FakeLandmarker(act), FakeDetector, MODELS, options or EVERY_SAMPLE, decoder)


def level_images(levels: Levels, rate_hz: int, size: tuple[int, int]) -> list[RgbImage]:
    """Pictures of the grey levels, `rate_hz` a second; size is (width, height)."""
    images = []
    for level, seconds in levels:
        image = np.full((size[1], size[0], 3), level, np.uint8)
        images += [image] * round(seconds * rate_hz)
    return images


def write_clip(
    path: Path,
    levels: Levels,
    *,
    rate_hz: int = 25,
    size: tuple[int, int] = (64, 48),
    codec: str = "mpeg4",
    pix_fmt: str = "yuv420p",
    times_s: Sequence[float] | None = None,
    rotation_deg: int = 0,
    options: dict[str, str] | None = None,
    audio: bool = False,
) -> Path:
    """Write a clip that shows the grey levels; `times_s` gives each frame its own time."""
    images = level_images(levels, rate_hz, size)
    write_images(
        path, images, rate_hz, codec=codec, pix_fmt=pix_fmt, times_s=times_s, rotation_deg=rotation_deg,
        options=options, audio=audio,
    )  # fmt: skip
    return path


def write_images(
    path: Path,
    images: Sequence[RgbImage],
    rate_hz: int,
    *,
    codec: str = "mpeg4",
    pix_fmt: str = "yuv420p",
    times_s: Sequence[float] | None = None,
    rotation_deg: int = 0,
    options: dict[str, str] | None = None,
    audio: bool = False,
    container_options: dict[str, str] | None = None,
) -> None:
    """Write pictures as a recording."""
    with scheduling_kept(), av.open(str(path), "w", container_options=container_options or {}) as container:
        stream: Any = container.add_stream(codec, rate=rate_hz, options=options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        time_base = Fraction(1, TICKS_PER_S) if times_s is not None else Fraction(1, rate_hz)
        stream.codec_context.time_base = time_base
        if rotation_deg:
            stream.set_display_rotation(rotation_deg)
        sound: Any = container.add_stream("pcm_s16le", rate=8000, layout="mono") if audio else None
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pix_fmt)
            frame.pts = round(times_s[index] * TICKS_PER_S) if times_s is not None else index
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _write_silence(container, sound, len(images) / rate_hz)


def _write_silence(container: Any, stream: Any, seconds: float) -> None:
    frame = av.AudioFrame.from_ndarray(
        np.zeros((1, round(seconds * 8000)), np.int16), format="s16", layout="mono"
    )
    frame.sample_rate, frame.pts = 8000, 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def write_sound_only(path: Path, seconds: float = 2.0) -> Path:
    """Write a recording without a picture."""
    with av.open(str(path), "w") as container:
        _write_silence(container, container.add_stream("pcm_s16le", rate=8000, layout="mono"), seconds)
    return path


def break_packets(path: Path, indices: Sequence[int]) -> None:
    """Overwrite packets of the picture track where they lie in the file."""
    with av.open(str(path)) as container:
        packets: list[Any] = [p for p in container.demux(container.streams.video[0]) if p.size]
        places = [(packets[index].pos, packets[index].size) for index in indices]
    content = bytearray(path.read_bytes())
    for start, size in places:
        content[start : start + size] = bytes(size)
    path.write_bytes(content)
