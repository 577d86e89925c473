"""Turns recorded speech into text with word times."""

import os

# onnxruntime reports its use to its maker, with a device id that it leaves in HOME; read when imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
