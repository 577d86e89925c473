"""Writes checkpoints as PyTorch before 1.6 did, without PyTorch."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from services.speaker.weights import CHECKPOINT_MAGIC

FORMAT_VERSION = 1001


def write_checkpoint(path: Path, document: dict[str, Any]) -> Path:
    """Write dictionaries of float32 arrays. Arrays that look into one memory share a storage."""
    content = io.BytesIO()
    pickler = _Pickler(content)
    pickler.dump(document)
    parts = [CHECKPOINT_MAGIC, FORMAT_VERSION, {"little_endian": True}]
    with path.open("wb") as file:
        for part in parts:
            pickle.dump(part, file, protocol=2)
        file.write(_under_pytorchs_names(content.getvalue()))
        pickle.dump(list(pickler.storages), file, protocol=2)
        for numbers in pickler.storages.values():
            file.write(numbers.size.to_bytes(8, "little") + numbers.astype("<f4").tobytes())
    return path


class FloatStorage:
    """PyTorch's class, which a file names."""


def _rebuild_tensor_v2(*_parts: object) -> None:
    """PyTorch's function, which a file names."""


def _under_pytorchs_names(content: bytes) -> bytes:
    """Name PyTorch's modules where pickle has named this one."""
    for module, owned in ((b"torch", b"FloatStorage"), (b"torch._utils", b"_rebuild_tensor_v2")):
        content = content.replace(b"c%b\n%b\n" % (__name__.encode(), owned), b"c%b\n%b\n" % (module, owned))
    return content


class _Storage:
    def __init__(self, key: str, count: int) -> None:
        self.id = ("storage", FloatStorage, key, "cpu", count, None)


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=2)
        self.storages: dict[str, np.ndarray] = {}

    def persistent_id(self, obj: Any) -> tuple[object, ...] | None:
        return obj.id if isinstance(obj, _Storage) else None

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, np.ndarray):
            return NotImplemented
        whole = obj
        while isinstance(whole.base, np.ndarray):
            whole = whole.base
        key = str(whole.__array_interface__["data"][0])
        self.storages[key] = whole.reshape(-1)
        offset = (obj.__array_interface__["data"][0] - whole.__array_interface__["data"][0]) // 4
        strides = tuple(step // 4 for step in obj.strides)
        storage = _Storage(key, whole.size)
        return _rebuild_tensor_v2, (storage, offset, obj.shape, strides, False, {})
