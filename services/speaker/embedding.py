"""Turns windows of speech into voice embeddings with Resemblyzer's network.

Only the weights are used: the package itself pulls in a second voice detector and a resampler. onnxruntime
runs the network, as it does the voice activity: PyTorch would take 185 MiB for three layers.
Embeddings live for one call. Nothing here stores, returns or logs them beyond it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

from services.speaker.audio import SAMPLE_RATE_HZ, Waveform
from services.speaker.weights import MEL_COUNT, read_weights
from services.speaker.windows import Windows

FFT_SAMPLES = 400
HOP_SAMPLES = 160
FRAMES_PER_S = SAMPLE_RATE_HZ // HOP_SAMPLES
GRAPH_FILE = Path(__file__).with_name("voice_encoder.onnx")
"""The network without its weights (`make_graph.py`)."""

WINDOW_MEAN_SQUARE = 10 ** (-30 / 10)
"""Each window is scaled to -30 dBFS, the level of the network's training: the spectrogram has no
logarithm, so 12 dB less would cost 0.15 of cosine."""
LENGTH_STEP_FRAMES = 10
"""Window lengths are cut to tenths of a second, so that many share one batch."""
BATCH_WINDOWS = 32
"""As fast as 64 in half the memory."""
BLOCK_FRAMES = 300
"""Spectrogram frames computed at once: 3 s, so that a window lies in two blocks at most. Every block has this
shape, also the last one: a matrix product of another shape may differ in the last bit."""
PRODUCT_FRAMES = 30
"""Frames of one matrix product. The library shares out larger ones among threads, which costs more time than
it saves."""
KEPT_BLOCKS = 2

Embeddings = NDArray[np.float32]
Batch = tuple[NDArray[np.intp], Embeddings]


class WindowEncoder(Protocol):
    """Gives every window of speech a vector that is near for the same voice."""

    def embed(self, samples: Waveform, windows: Windows) -> Iterator[Batch]:
        """Yield batches: which windows, and their unit vectors, shape (batch, `weights.EMBEDDING_SIZE`).

        A window's vector rests on its own samples alone, whatever else is embedded with it.
        """
        ...


class VoiceEncoder:
    """The GE2E network of Resemblyzer. Safe to share between threads.

    Args:
        weights: Resemblyzer's `pretrained.pt`.
        thread_count: Threads of one batch.

    Raises:
        PreconditionError: The file holds something else (`MODEL_CORRUPT`).
    """

    def __init__(self, weights: Path, thread_count: int = 1) -> None:
        given = read_weights(weights)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = thread_count, 1
        # It keeps what the largest batch took. Taken anew for each batch, memory lies scattered: an hour takes
        # 327 to 466 MiB in place of 325 to 341.
        options.enable_cpu_mem_arena = True
        # The session reads them where they are.
        self._weights = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in given.values()]
        options.add_external_initializers(list(given), self._weights)
        self._session = onnxruntime.InferenceSession(
            GRAPH_FILE.read_bytes(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, mels: NDArray[np.float32]) -> Embeddings:
        """Embed spectrograms of one length, shape (batch, frames, mels)."""
        (vectors,) = self._session.run(None, {"mels": mels})
        return np.asarray(vectors, np.float32)

    def embed(self, samples: Waveform, windows: Windows) -> Iterator[Batch]:
        """See `WindowEncoder`. In time order: the spectrogram is made once. A batch has one length."""
        spectrogram = Spectrogram(samples)
        gathered: dict[int, list[tuple[int, NDArray[np.float32]]]] = {}
        for index, frame_count in enumerate(window_frame_counts(windows).tolist()):
            batch = gathered.setdefault(frame_count, [])
            batch.append((index, _levelled(spectrogram, samples, windows[index], frame_count)))
            if len(batch) == BATCH_WINDOWS:
                yield self._embedded(gathered.pop(frame_count))
        for batch in gathered.values():
            yield self._embedded(batch)

    def _embedded(self, batch: list[tuple[int, NDArray[np.float32]]]) -> Batch:
        indices, mels = zip(*batch, strict=True)
        return np.array(indices, np.intp), self(np.stack(mels))


def window_frame_counts(windows: Windows) -> NDArray[np.intp]:
    """Return each window's length in spectrogram frames, a multiple of `LENGTH_STEP_FRAMES`."""
    # The small addend keeps 1.6 s at 160 frames where the difference of two floats falls short of it.
    frames = (windows[:, 1] - windows[:, 0]) * FRAMES_PER_S + 1e-4
    return (frames // LENGTH_STEP_FRAMES * LENGTH_STEP_FRAMES).astype(np.intp)


def _levelled(
    spectrogram: Spectrogram, samples: Waveform, window: NDArray[np.float64], frame_count: int
) -> NDArray[np.float32]:
    own = samples[int(window[0] * SAMPLE_RATE_HZ) : int(window[1] * SAMPLE_RATE_HZ)]
    mean_square = float(np.mean(np.square(own, dtype=np.float64))) + 1e-12
    mels = spectrogram.frames(round(window[0] * FRAMES_PER_S), frame_count)
    return mels * np.float32(WINDOW_MEAN_SQUARE / mean_square)


class Spectrogram:
    """Mel power spectrogram of a recording, computed block by block as it is asked for.

    Frame `i` is centred on sample `i * HOP_SAMPLES`. Beyond both ends there is silence. The last
    `KEPT_BLOCKS` blocks are kept, so whoever asks in time order has each of them computed once.
    """

    def __init__(self, samples: Waveform) -> None:
        self._samples = samples
        self._blocks: dict[int, NDArray[np.float32]] = {}
        self.computed_blocks = 0
        self._basis = mel_basis()
        self._taper = np.hanning(FFT_SAMPLES + 1)[:-1].astype(np.float32)  # the periodic one

    def frames(self, first: int, count: int) -> NDArray[np.float32]:
        """Return frames, shape (count, `MEL_COUNT`)."""
        numbers = range(first // BLOCK_FRAMES, -(-(first + count) // BLOCK_FRAMES))
        begin = first - numbers.start * BLOCK_FRAMES
        return np.concatenate([self._block(number) for number in numbers])[begin : begin + count]

    def _block(self, number: int) -> NDArray[np.float32]:
        if (block := self._blocks.pop(number, None)) is None:
            block = self._computed(number * BLOCK_FRAMES)
        self._blocks[number] = block  # the newest stands last
        while len(self._blocks) > KEPT_BLOCKS:
            del self._blocks[next(iter(self._blocks))]
        return block

    def _computed(self, first: int) -> NDArray[np.float32]:
        self.computed_blocks += 1
        power = np.zeros((BLOCK_FRAMES, FFT_SAMPLES // 2 + 1), np.float32)
        # Only whole steps of the recording have a frame.
        count = min(BLOCK_FRAMES, len(self._samples) // HOP_SAMPLES + 1 - first)
        if count > 0:
            start = first * HOP_SAMPLES - FFT_SAMPLES // 2
            end = start + (count - 1) * HOP_SAMPLES + FFT_SAMPLES
            own = self._samples[max(0, start) : min(end, len(self._samples))]
            part = np.pad(own, (max(0, -start), max(0, end - len(self._samples))))
            frames = np.lib.stride_tricks.sliding_window_view(part, FFT_SAMPLES)[::HOP_SAMPLES]
            spectrum = np.fft.rfft(frames * self._taper)
            power[:count] = np.square(spectrum.real) + np.square(spectrum.imag)
        return (power.reshape(-1, PRODUCT_FRAMES, power.shape[1]) @ self._basis.T).reshape(-1, MEL_COUNT)


LINEAR_HZ_PER_MEL = 200 / 3
"""Slaney's scale: linear up to 1 kHz (15 mel), logarithmic above."""
BREAK_HZ = 1000.0
BREAK_MEL = BREAK_HZ / LINEAR_HZ_PER_MEL
LOG_STEP = np.log(6.4) / 27


def mel_basis() -> NDArray[np.float32]:
    """Return Slaney's mel filters of equal area, shape (`MEL_COUNT`, `FFT_SAMPLES` // 2 + 1)."""
    top_mel = BREAK_MEL + np.log(SAMPLE_RATE_HZ / 2 / BREAK_HZ) / LOG_STEP
    mels = np.linspace(0.0, top_mel, MEL_COUNT + 2)
    edges_hz = np.where(
        mels < BREAK_MEL, mels * LINEAR_HZ_PER_MEL, BREAK_HZ * np.exp(LOG_STEP * (mels - BREAK_MEL))
    )
    bins_hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, FFT_SAMPLES // 2 + 1)
    widths_hz = np.diff(edges_hz)
    ramps = edges_hz[:, None] - bins_hz[None]
    triangles = np.minimum(-ramps[:-2] / widths_hz[:-1, None], ramps[2:] / widths_hz[1:, None])
    areas = 2.0 / (edges_hz[2:] - edges_hz[:-2])
    return (np.maximum(0.0, triangles) * areas[:, None]).astype(np.float32)
