"""What makes two results the same: hashes of plain values, and of item ids."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def content_id(**parts: Any) -> str:
    """A 128-bit hash of plain values, independent of the order in which they are named.

    >>> content_id(a=1, b=["x"]) == content_id(b=["x"], a=1)
    True
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def item_hash(item: str, seed: int) -> int:
    """A number that orders items at random but in the same way everywhere: it sees only the id."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{item}".encode()).digest()[:8], "big")
