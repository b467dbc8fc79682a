"""The sections of a report, one file each, in groups; in the order of their ``PLACE``, the folded ones last: to add one is to add a file."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType

from crossgraft.analysis.findings import Findings
from crossgraft.report.section import Section


def sections_of(findings: Findings) -> tuple[Section, ...]:
    """Every section that has something to say."""
    found = [section for module in modules() for section in module.sections(findings)]
    return tuple(sorted(found, key=lambda section: section.folded))


@cache
def modules() -> tuple[ModuleType, ...]:
    files = [file for file in pkgutil.walk_packages(__path__, f"{__name__}.") if not file.ispkg]
    return tuple(sorted((importlib.import_module(file.name) for file in files), key=lambda module: module.PLACE))
