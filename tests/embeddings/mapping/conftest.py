from __future__ import annotations

import builtins

import pytest


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which torch is not installed."""
    imported = builtins.__import__

    def without(name: str, *rest: object, **named: object) -> object:
        if name == "torch":
            raise ImportError
        return imported(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
