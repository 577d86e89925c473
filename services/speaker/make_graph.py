"""Writes `voice_encoder.onnx`, the graph of Resemblyzer's network without its weights.

Run it where the graph has to change: `python -m services.speaker.make_graph`. It needs the package `onnx`,
which the service does not. The weights come from Resemblyzer's file when the service starts (`weights.py`).
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

from services.speaker.weights import EMBEDDING_SIZE, HIDDEN_COUNT, LAYER_COUNT, MEL_COUNT, weight_shapes

OPSET_VERSION, IR_VERSION = 14, 8
"""Old ones on purpose: every runtime of the last years reads them."""
TARGET = Path(__file__).with_name("voice_encoder.onnx")


def make_graph() -> onnx.ModelProto:
    """Return three LSTM layers, and the projection of the last state to a unit vector."""
    nodes = [helper.make_node("Transpose", ["mels"], ["layer0"], perm=[1, 0, 2])]
    for layer in range(LAYER_COUNT):
        names = [f"layer{layer}", f"W{layer}", f"R{layer}", f"B{layer}"]
        nodes.append(
            helper.make_node("LSTM", names, [f"both{layer}", f"last{layer}"], hidden_size=HIDDEN_COUNT)
        )
        nodes.append(helper.make_node("Squeeze", [f"both{layer}", "direction"], [f"layer{layer + 1}"]))
    nodes += [
        helper.make_node("Squeeze", [f"last{LAYER_COUNT - 1}", "first"], ["state"]),
        helper.make_node("MatMul", ["state", "projection"], ["projected"]),
        helper.make_node("Add", ["projected", "bias"], ["moved"]),
        helper.make_node("Relu", ["moved"], ["positive"]),
        helper.make_node("LpNormalization", ["positive"], ["embeddings"], axis=1, p=2),
    ]
    axes = [helper.make_tensor(n, TensorProto.INT64, [1], [v]) for n, v in (("direction", 1), ("first", 0))]
    weights = [_elsewhere(name, shape) for name, shape in weight_shapes().items()]
    mels = helper.make_tensor_value_info("mels", TensorProto.FLOAT, ["batch", "frames", MEL_COUNT])
    embeddings = helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", EMBEDDING_SIZE])
    graph = helper.make_graph(nodes, "voice encoder", [mels], [embeddings], [*axes, *weights])
    opsets = [helper.make_opsetid("", OPSET_VERSION)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def _elsewhere(name: str, shape: tuple[int, ...]) -> onnx.TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="given by the service")
    return tensor


if __name__ == "__main__":
    TARGET.write_bytes(make_graph().SerializeToString(deterministic=True))
