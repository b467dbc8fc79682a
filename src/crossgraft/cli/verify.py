"""Read every file of a store, and name what is damaged, with what to do.

To look at something more, add a function to ``CHECKS``: it gets the store and yields what it finds. A check of what
records *say* reads them with ``store.read()``, which leaves out those that are damaged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from crossgraft.adapters.weights.stored import adapter_damage, state_damage
from crossgraft.adapters.weights.suspects import suspects
from crossgraft.runs.fingerprints import remembered
from crossgraft.runs.storage.layout import read_texts
from crossgraft.runs.storage.reading import Damage, damage_of
from crossgraft.runs.storage.store import TEXTS_ADVICE, Store
from crossgraft.safety.seals import Broken

_ADVICE = "'crossgraft run SPEC' computes it again"
_AGAIN = "the next run moves it away and trains it anew"
_FOLDERS = ("records", "packs", "texts", "studies", "failures", "adapters", "claims", "logs", "followed", "damaged")

Check = Callable[[Store], Iterable[Damage]]


def verify(store: Store) -> list[Damage]:
    """Everything that is damaged, whatever was looked at before: also when bytes changed and no time stamp did."""
    return [damage for check in CHECKS for damage in check(store)]


def records(store: Store) -> Iterator[Damage]:
    for damage in store.read()[1]:
        yield Damage(damage.file, damage.reason, _ADVICE if damage.file.suffix == ".parquet" else "move it away")


def texts(store: Store) -> Iterator[Damage]:
    for file in store.text_files():
        reason = damage_of(file, partial(read_texts, file.stem))
        if reason:
            yield Damage(file, reason, TEXTS_ADVICE)


def studies(store: Store) -> Iterable[Damage]:
    return store.manifests.read()[1]


def failures(store: Store) -> Iterable[Damage]:
    return store.failures.read()[1]


def fingerprints(store: Store) -> Iterator[Damage]:
    for file in (store.fingerprints, store.artefacts / "spaces" / "fingerprints.json"):
        try:
            remembered(file)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, Broken) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            yield Damage(file, reason, "it is not used: files are hashed again, and it is written anew")


def adapters(store: Store) -> Iterator[Damage]:
    for folder in _listed(store.artefacts):
        if folder.name.startswith(".") or folder.name == "spaces":
            continue
        reason = adapter_damage(folder)
        if reason:
            yield Damage(folder, reason, _AGAIN)


def states(store: Store) -> Iterator[Damage]:
    for file in _listed(store.artefacts):
        reason = state_damage(file) if file.name.startswith(".") and file.name.endswith(".state") else ""
        if reason:
            yield Damage(file, reason, "it is not used: the next run trains from the beginning")


def set_aside(store: Store) -> Iterator[Damage]:
    for entry in _listed(store.root / "damaged"):
        yield Damage(entry, "was damaged and set aside", "a new one takes its place; delete it")


def suspect_records(store: Store) -> Iterator[Damage]:
    """What an earlier version measured after an adapter that PEFT does not take out of the base whole."""
    records = {record.id: record for record in store.read()[0]}
    written = {record.id: store.written(record) for record in records.values()}
    found: dict[str, str] = {}
    for name in store.studies():
        found |= dict(suspects(store.study(name), records, written))
    for record_id, adapter in found.items():
        reason = f"measured by an earlier version after the adapter {adapter!r}, which changes the base: its base may have been another"
        yield Damage(store.record_file(records[record_id]), reason, f"delete it, and {_ADVICE}")


def strangers(store: Store) -> Iterator[Damage]:
    """A file where a folder should be, or what nobody here wrote."""
    for entry in _listed(store.root):
        if entry.name.startswith("."):
            continue
        if entry.name not in (*_FOLDERS, store.fingerprints.name):
            yield Damage(entry, "is no part of a store", "move it away")
        elif entry.is_dir() != (entry.name in _FOLDERS):
            what = ("file", "folder") if entry.name in _FOLDERS else ("folder", "file")
            yield Damage(entry, "a {} lies where a {} should be".format(*what), "move it away")


CHECKS: list[Check] = [
    records,
    suspect_records,
    texts,
    studies,
    failures,
    fingerprints,
    adapters,
    states,
    set_aside,
    strangers,
]


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
