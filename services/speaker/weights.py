"""Reads the weights of Resemblyzer's network from its file, without PyTorch.

The file is a PyTorch checkpoint of the format before 1.6: five pickles, then the numbers of each storage.
Only the names that such a file of plain tensors needs can be loaded. Anything else is refused.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from chassis.errors import PreconditionError

MEL_COUNT = 40
HIDDEN_COUNT = 256
LAYER_COUNT = 3
EMBEDDING_SIZE = 256
CHECKPOINT_MAGIC = 0x1950A86A20F9469CFC6C
GATES = 4
ONNX_GATES = (0, 3, 1, 2)
"""PyTorch has input, forget, cell and output gate in this order, ONNX input, output, forget and cell."""

Weights = Mapping[str, NDArray[np.float32]]


def weight_shapes() -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of the graph's weights."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(LAYER_COUNT):
        input_count = HIDDEN_COUNT if layer else MEL_COUNT
        shapes[f"W{layer}"] = (1, GATES * HIDDEN_COUNT, input_count)
        shapes[f"R{layer}"] = (1, GATES * HIDDEN_COUNT, HIDDEN_COUNT)
        shapes[f"B{layer}"] = (1, 2 * GATES * HIDDEN_COUNT)
    return shapes | {"projection": (HIDDEN_COUNT, EMBEDDING_SIZE), "bias": (EMBEDDING_SIZE,)}


def read_weights(path: Path) -> Weights:
    """Read what the graph needs, by its names.

    Args:
        path: Resemblyzer's `pretrained.pt`.

    Raises:
        PreconditionError: It is another kind of file, or of another network (`MODEL_CORRUPT`).
    """
    try:
        state = read_checkpoint(path)["model_state"]
        weights = {"projection": state["linear.weight"].T, "bias": state["linear.bias"]}
        for layer in range(LAYER_COUNT):
            weights[f"W{layer}"] = _reordered(state[f"lstm.weight_ih_l{layer}"])[None]
            weights[f"R{layer}"] = _reordered(state[f"lstm.weight_hh_l{layer}"])[None]
            biases = [_reordered(state[f"lstm.bias_{kind}_l{layer}"]) for kind in ("ih", "hh")]
            weights[f"B{layer}"] = np.concatenate(biases)[None]
        found = {name: array.shape for name, array in weights.items()}
        if found != weight_shapes():
            raise ValueError("shapes")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, pickle.UnpicklingError):
        raise PreconditionError(
            f"'{path.name}' does not hold the weights of Resemblyzer's voice encoder. Fetch the model again.",
            reason="MODEL_CORRUPT",
        ) from None
    return {name: np.ascontiguousarray(array, np.float32) for name, array in weights.items()}


def _reordered(gates: NDArray[np.float32]) -> NDArray[np.float32]:
    parts = np.split(gates, GATES)
    return np.concatenate([parts[gate] for gate in ONNX_GATES])


def read_checkpoint(path: Path) -> Any:
    """Read a checkpoint of plain tensors as dictionaries of arrays.

    Raises:
        ValueError, pickle.UnpicklingError, and what unpickling raises: It is something else.
    """
    with path.open("rb") as file:
        if _Plain(file).load() != CHECKPOINT_MAGIC:
            raise ValueError("not a checkpoint")
        for _ in ("version", "machine"):
            _Plain(file).load()
        content = _Plain(file)
        document = content.load()
        for key in _Plain(file).load():
            content.storages[key].fill(file)
        return _with_arrays(document)


@dataclass
class Storage:
    """Numbers that tensors look into. They come after all tensors in the file."""

    count: int
    numbers: NDArray[np.float32] | None = None

    def fill(self, file: BinaryIO) -> None:
        """Read the numbers, which stand behind their count."""
        count = int.from_bytes(file.read(8), "little")
        if count != self.count:
            raise ValueError("a storage of another size")
        self.numbers = np.frombuffer(file.read(4 * count), "<f4")


@dataclass(frozen=True)
class StoredTensor:
    """A part of a storage, as the file describes it."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def array(self) -> NDArray[np.float32]:
        """Return its numbers.

        Raises:
            ValueError: It would look outside its storage.
        """
        if self.storage.numbers is None:
            raise ValueError("a storage without numbers")
        if self.offset < 0 or min(self.shape, default=1) < 1 or min(self.stride, default=0) < 0:
            raise ValueError("a tensor outside its storage")
        own = self.storage.numbers[self.offset :]
        steps = tuple(4 * step for step in self.stride)
        last = sum((size - 1) * step for size, step in zip(self.shape, self.stride, strict=True))
        if last >= len(own):
            raise ValueError("a tensor beyond its storage")
        return np.lib.stride_tricks.as_strided(own, self.shape, steps, writeable=False)


def _rebuilt(
    storage: Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_more: object
) -> StoredTensor:
    return StoredTensor(storage, offset, shape, stride)


class _FloatStorage:
    """Stands for PyTorch's class, which the file names."""


def _with_arrays(document: Any) -> Any:
    if isinstance(document, StoredTensor):
        return document.array()
    if isinstance(document, dict):
        return {key: _with_arrays(value) for key, value in document.items()}
    return document


class _Plain(pickle.Unpickler):
    """Loads plain tensors in dictionaries, and nothing else."""

    KNOWN: Mapping[tuple[str, str], object] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch", "FloatStorage"): _FloatStorage,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuilt,
    }

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what a file of plain tensors may name."""
        return self.KNOWN.get((module, name)) or self._refuse(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Storage:
        """Return a storage, which the file names by its key."""
        kind, storage_class, key, _place, count, *_views = pid
        if kind != "storage" or storage_class is not _FloatStorage:
            self._refuse(str(kind))
        return self.storages.setdefault(str(key), Storage(int(count)))

    def _refuse(self, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"{name} does not belong into weights")
