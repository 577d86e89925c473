"""The voice encoder's weights are read from a file that could hold anything."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chassis.errors import PreconditionError
from services.speaker.embedding import VoiceEncoder
from services.speaker.weights import (
    CHECKPOINT_MAGIC,
    HIDDEN_COUNT,
    LAYER_COUNT,
    MEL_COUNT,
    Storage,
    StoredTensor,
    read_checkpoint,
    read_weights,
)
from tests.fakes.checkpoints import write_checkpoint


def state_of(seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of the network's shapes, by PyTorch's names."""
    rng, state = np.random.default_rng(seed), {}
    for layer in range(LAYER_COUNT):
        width = HIDDEN_COUNT if layer else MEL_COUNT
        shapes = {
            "weight_ih": (1024, width),
            "weight_hh": (1024, 256),
            "bias_ih": (1024,),
            "bias_hh": (1024,),
        }
        for name, shape in shapes.items():
            state[f"lstm.{name}_l{layer}"] = rng.standard_normal(shape).astype(np.float32) * np.float32(0.1)
    state["linear.weight"] = rng.standard_normal((256, 256)).astype(np.float32)
    state["linear.bias"] = rng.standard_normal(256).astype(np.float32)
    return state


def lstm(state: dict[str, np.ndarray], mels: np.ndarray) -> np.ndarray:
    """The network as its paper has it, gate by gate, for one window of shape (frames, mels)."""

    def sigmoid(values: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-values)))

    sequence = mels.astype(np.float64)
    for layer in range(LAYER_COUNT):
        own = {name: state[f"lstm.{name}_l{layer}"].astype(np.float64) for name in ("weight_ih", "weight_hh")}
        bias = state[f"lstm.bias_ih_l{layer}"] + state[f"lstm.bias_hh_l{layer}"]
        hidden, cell, states = np.zeros(HIDDEN_COUNT), np.zeros(HIDDEN_COUNT), []
        for frame in sequence:
            gates = np.split(own["weight_ih"] @ frame + own["weight_hh"] @ hidden + bias, 4)
            cell = sigmoid(gates[1]) * cell + sigmoid(gates[0]) * np.tanh(gates[2])
            hidden = sigmoid(gates[3]) * np.tanh(cell)
            states.append(hidden)
        sequence = np.stack(states)
    vector = np.maximum(state["linear.weight"] @ hidden + state["linear.bias"], 0)
    return np.asarray(vector / np.linalg.norm(vector))


def test_the_network_is_the_one_that_the_weights_were_made_for(tmp_path: Path) -> None:
    state = state_of()
    path = write_checkpoint(tmp_path / "weights.pt", {"step": 1, "model_state": state})
    mels = np.random.default_rng(1).random((2, 30, MEL_COUNT), np.float32)

    vectors = VoiceEncoder(path)(mels)

    for window, vector in zip(mels, vectors, strict=True):
        assert vector == pytest.approx(lstm(state, window), abs=1e-5)


def test_tensors_that_share_a_storage_are_told_apart(tmp_path: Path) -> None:
    numbers = np.arange(12, dtype=np.float32)
    path = write_checkpoint(tmp_path / "weights.pt", {"all": numbers.reshape(3, 4), "last": numbers[8:]})

    read = read_checkpoint(path)

    assert read["all"].tolist() == numbers.reshape(3, 4).tolist()
    assert read["last"].tolist() == [8, 9, 10, 11]


@pytest.mark.parametrize(
    ("offset", "shape", "stride"),
    [
        (-4, (2,), (1,)),
        (9, (2,), (1,)),
        (0, (11,), (1,)),
        (5, (3,), (-4,)),
        (0, (-2,), (1,)),
        (0, (2, 2), (1,)),
    ],
)
def test_a_tensor_that_would_look_outside_its_storage_is_refused(
    offset: int, shape: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    numbers = np.zeros(10, np.float32)

    with pytest.raises(ValueError, match=r"a tensor|zip"):
        StoredTensor(Storage(10, numbers), offset, shape, stride).array()


class Deed:
    """Does something when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


@pytest.mark.parametrize("place", ["the first pickle", "the content"])
def test_a_file_that_would_do_something_is_refused_and_does_nothing(tmp_path: Path, place: str) -> None:
    done, path = tmp_path / "done", tmp_path / "weights.pt"
    parts: dict[str, list[object]] = {
        "the first pickle": [Deed(done)],
        "the content": [CHECKPOINT_MAGIC, 1001, {}, Deed(done)],
    }
    path.write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in parts[place]))

    with pytest.raises(PreconditionError) as caught:
        read_weights(path)

    assert caught.value.reason == "MODEL_CORRUPT"
    assert not done.exists()


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    other = state_of() | {"linear.bias": np.zeros(7, np.float32)}
    path = write_checkpoint(tmp_path / "weights.pt", {"model_state": OrderedDict(other)})

    with pytest.raises(PreconditionError) as caught:
        read_weights(path)

    assert caught.value.reason == "MODEL_CORRUPT"
    assert "weights.pt" in caught.value.message


@pytest.mark.parametrize("kept", [0, 10, 60, 5000, 400_000])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, kept: int) -> None:
    path = write_checkpoint(tmp_path / "weights.pt", {"model_state": state_of()})
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(PreconditionError) as caught:
        read_weights(path)

    assert caught.value.reason == "MODEL_CORRUPT"
