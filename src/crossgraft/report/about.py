"""What a report says of its own making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class About:
    """The spec that was run, the versions of the packages, the date."""

    spec: str = ""
    overrides: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    written: str = ""
