"""How well the model predicts running text."""

from __future__ import annotations

from math import log

import numpy as np

from crossgraft.core import Answers, Floats
from crossgraft.metrics.base import METRICS, Metric


def _bits_and_bytes(answers: Answers) -> Floats:
    """Bits that the model needs for each text, and the bytes of its UTF-8."""
    return np.stack([-answers.columns["loglik"] / log(2), answers.columns["bytes"]], axis=1)


METRICS.add(
    "bits-per-byte",
    Metric(
        "bits-per-byte",
        "text",
        _bits_and_bytes,
        unit="bits per byte",
        higher_is_better=False,
        description="Bits the model needs for a byte of text: independent of the tokenizer, lower is better.",
    ),
)
