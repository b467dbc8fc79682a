"""Templates of a user's definitions run in Jinja's sandbox: no Python behind them, no texts of millions of copies."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from contextlib import contextmanager
from typing import Any

from jinja2 import BaseLoader, StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

_LARGEST = 1_000_000  # characters or elements that * may make, and the largest number that may be raised


class _Sandbox(SandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        sizes = [len(one) if isinstance(one, Sized) else abs(one) for one in (left, right)]
        copies = operator == "*" and any(isinstance(one, Sized) for one in (left, right))
        if (copies and sizes[0] * sizes[1] > _LARGEST) or (operator == "**" and (sizes[0] > _LARGEST or sizes[1] > 64)):
            raise SecurityError(f"the result of {operator!r} would be too large")
        return super().call_binop(context, operator, left, right)


@contextmanager
def sandboxed() -> Iterator[None]:
    """The harness renders every template in the sandbox, with its own settings and filters."""
    import lm_eval.utils as harness

    usual = harness.env
    harness.env = _Sandbox(loader=BaseLoader(), undefined=StrictUndefined, keep_trailing_newline=True)
    harness.env.filters.update(usual.filters)
    try:
        yield
    finally:
        harness.env = usual
