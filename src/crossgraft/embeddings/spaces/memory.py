"""How much memory there is, and a sentence instead of a crash when vectors need more."""

from __future__ import annotations

import os
from pathlib import Path

from crossgraft.errors import DataError

_WORD = 200  # bytes a word takes beside its vector: the string, its place in the index


def available_memory() -> int | None:
    """Bytes this process could still take: of the machine, or of its control group; None if nobody says."""
    found = [amount for amount in (_of_machine(), _of_group()) if amount is not None]
    return min(found, default=None)


def _of_machine() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass  # not Linux
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return None


def _of_group() -> int | None:
    """What is left under the limit of a container or batch job; file cache in it can be given back."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text("ascii"))
        used = int((group / "memory.current").read_text("ascii"))
        kinds = dict(line.split() for line in (group / "memory.stat").read_text("ascii").splitlines())
        return max(limit - used + int(kinds.get("file", 0)), 0)
    except (OSError, ValueError):
        return None  # no group, or "max": no limit


def refuse_too_many(file: Path, words: int, width: int, available: int | None, *, copies: int = 1) -> None:
    """Raise when so many words of this width would not fit; ``copies`` of their vectors are needed at once."""
    each = copies * 4 * width + _WORD
    needed = words * each
    if available is None or needed <= available:
        return
    what = "" if copies == 1 else " to work on them"
    fitting = int(0.8 * available / each)
    raise DataError(
        f"{file}: {words:,} words of {width} dimensions need {needed / 2**30:.1f} GiB of memory{what}, and there are "
        f"{available / 2**30:.1f} GiB; read only the most frequent words, such as spaces.top = {fitting} "
        f"(--top {fitting} of 'map')"
    )
