"""How bright a picture is. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""
_STRIDE_PX = 16
"""Brightness is a mean: every sixteenth pixel each way tells it as well as all of them."""
BLACK, WHITE = 0.0, 255.0


def mean_brightness(pixels: npt.NDArray[np.uint8], black: float = BLACK, white: float = WHITE) -> float:
    """Return the mean brightness, 0 (black) to 1 (white).

    Args:
        pixels: Red, green and blue, shape (height, width, 3), or brightness alone, shape (height, width).
        black: What is stored for black.
        white: What is stored for white.
    """
    few = pixels[::_STRIDE_PX, ::_STRIDE_PX]
    mean = few.mean() if few.ndim == 2 else few.reshape(-1, 3).mean(axis=0) @ _LUMA
    return float(np.clip((mean - black) / (white - black), 0.0, 1.0))
