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

from services.speaker.audio import SAMPLE_RATE_HZ, Samples
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
BLOCK_FRAMES = 3000
"""Spectrogram frames computed at once (30 s, 10 MB of complex values)."""

Embeddings = NDArray[np.float32]
Batch = tuple[NDArray[np.intp], Embeddings]


class WindowEncoder(Protocol):
    """Gives every window of speech a vector that is near for the same voice."""

    def embed(self, samples: Samples, windows: Windows) -> Iterator[Batch]:
        """Yield batches: which windows, and their unit vectors, shape (batch, `weights.EMBEDDING_SIZE`)."""
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
        options.enable_cpu_mem_arena = False  # it keeps what the largest batch took, for good
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

    def embed(self, samples: Samples, windows: Windows) -> Iterator[Batch]:
        """See `WindowEncoder`. Longest windows first, each length in time order."""
        spectrogram = Spectrogram(samples)
        frame_counts = window_frame_counts(windows)
        for frame_count in sorted(set(frame_counts.tolist()), reverse=True):
            same_length = np.flatnonzero(frame_counts == frame_count)
            for start in range(0, len(same_length), BATCH_WINDOWS):
                batch = same_length[start : start + BATCH_WINDOWS]
                mels = [_levelled(spectrogram, samples, windows[i], frame_count) for i in batch]
                yield batch, self(np.stack(mels))


def window_frame_counts(windows: Windows) -> NDArray[np.intp]:
    """Return each window's length in spectrogram frames, a multiple of `LENGTH_STEP_FRAMES`."""
    # The small addend keeps 1.6 s at 160 frames where the difference of two floats falls short of it.
    frames = (windows[:, 1] - windows[:, 0]) * FRAMES_PER_S + 1e-4
    return (frames // LENGTH_STEP_FRAMES * LENGTH_STEP_FRAMES).astype(np.intp)


def _levelled(
    spectrogram: Spectrogram, samples: Samples, window: NDArray[np.float64], frame_count: int
) -> NDArray[np.float32]:
    own = samples[int(window[0] * SAMPLE_RATE_HZ) : int(window[1] * SAMPLE_RATE_HZ)]
    mean_square = float(np.mean(np.square(own, dtype=np.float64))) + 1e-12
    mels = spectrogram.frames(round(window[0] * FRAMES_PER_S), frame_count)
    return mels * np.float32(WINDOW_MEAN_SQUARE / mean_square)


class Spectrogram:
    """Mel power spectrogram of a recording, computed block by block as far as it is asked for.

    Frame `i` is centred on sample `i * HOP_SAMPLES`. Beyond both ends there is silence. The complex
    spectrum exists for one block only. 60 min of mel frames take 58 MB.
    """

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._mels = np.zeros((len(samples) // HOP_SAMPLES + 1, MEL_COUNT), np.float32)
        self.done_frames = 0
        self._basis = mel_basis()
        self._taper = np.hanning(FFT_SAMPLES + 1)[:-1].astype(np.float32)  # the periodic one

    def frames(self, first: int, count: int) -> NDArray[np.float32]:
        """Return frames, shape (count, `MEL_COUNT`)."""
        while self.done_frames < min(first + count, len(self._mels)):
            self._compute_block()
        part = self._mels[first : first + count]
        return np.pad(part, ((0, count - len(part)), (0, 0)))

    def _compute_block(self) -> None:
        first = self.done_frames
        end = min(first + BLOCK_FRAMES, len(self._mels))
        start_sample = first * HOP_SAMPLES - FFT_SAMPLES // 2
        end_sample = (end - 1) * HOP_SAMPLES + FFT_SAMPLES // 2
        part = np.pad(
            self._samples[max(0, start_sample) : end_sample],
            (max(0, -start_sample), max(0, end_sample - len(self._samples))),
        )
        frames = np.lib.stride_tricks.sliding_window_view(part, FFT_SAMPLES)[::HOP_SAMPLES]
        spectrum = np.fft.rfft(frames * self._taper)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        self._mels[first:end] = power @ self._basis.T
        self.done_frames = end


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
