"""Tasks of lm-evaluation-harness: their definitions, their data, and the items these make.

What the harness does well is left to it: its reader of YAML resolves includes and imports functions, its
``ConfigurableTask`` renders. So the texts are its texts, to the character.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from crossgraft.errors import MissingExtra

_LOUD = ("lm_eval", "datasets", "huggingface_hub")


def require_harness() -> None:
    """Says which extra is missing, before anything else fails."""
    try:
        import datasets  # noqa: F401
        import lm_eval.tasks._yaml_loader  # noqa: F401 - since 0.4.12
    except ImportError as error:
        raise MissingExtra("a task of lm-evaluation-harness", "lm-eval") from error


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings and progress bars of the harness and of datasets: what matters is in our notes and errors."""
    import datasets

    loggers = [logging.getLogger(name) for name in _LOUD]
    levels = [logger.level for logger in loggers]
    had_bars = not datasets.are_progress_bars_disabled()
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if had_bars:
            datasets.enable_progress_bars()


def reason(error: BaseException) -> str:
    """What went wrong at the bottom, in one line: libraries wrap their errors several times."""
    while error.__cause__ is not None:
        error = error.__cause__
    name, lines = type(error).__name__, str(error).strip().splitlines()
    told = f"{name}: {lines[0][:300]}" if lines else name
    return f"{told}; if you trust the definition, say allow_code = true" if name == "SecurityError" else told
