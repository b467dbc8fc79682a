"""The sections of a report, one file each, in the order of their ``PLACE``, the folded ones last: to add one is to add a file."""

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
    found = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return tuple(sorted(found, key=lambda module: module.PLACE))
