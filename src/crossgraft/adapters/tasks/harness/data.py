"""The rows of a split of a task of lm-evaluation-harness: from local files, or from the hub or its cache.

Relative paths in ``dataset_kwargs`` start from the folder of the spec. The harness starts them from the
working directory, so that the same definition has other data in another terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from glob import glob
from itertools import islice
from os.path import isfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crossgraft.adapters.tasks import Split
from crossgraft.adapters.tasks.harness import quiet, reason
from crossgraft.adapters.tasks.harness.definition import Definition
from crossgraft.errors import DataError
from crossgraft.safety.opening import is_file, is_folder, look
from crossgraft.study import home

_MOST_FILES = 10_000
_FILE_READERS = ("json", "csv", "parquet", "text")


def split_name(definition: Definition, split: Split) -> str:
    """What the data set calls our train and test split."""
    keys = ("test_split", "validation_split") if split == "test" else ("training_split",)
    for key in keys:
        if name := definition.settings.get(key):
            return str(name)
    raise definition.error(f"it has no {split} split: the definition says no {' and no '.join(keys)}")


def local_files(definition: Definition, base: Path) -> Iterator[Path]:
    """The files on this machine that the rows are from; none for a data set of the hub."""
    path = definition.settings.get("dataset_path")
    if path in _FILE_READERS:
        given = definition.settings.get("dataset_kwargs") or {}
        if not (given.get("data_files") or given.get("data_dir")):  # datasets would read whatever lies in this folder
            raise definition.error(f"dataset_path: {path} needs dataset_kwargs with data_files; it names none")
        for text in _texts(_placed(given.get("data_files"), base)):
            try:
                look(text)
            except DataError as error:
                raise definition.error(f"its data cannot be read: {error}") from None
            yield from map(Path, glob(text)) if glob(text) else [Path(text)]
        path = given.get("data_dir")
    if path and is_folder(base / str(path)):
        there = list(islice((base / str(path)).rglob("*"), _MOST_FILES + 1))
        if len(there) > _MOST_FILES:
            raise definition.error(
                f"expected at most {_MOST_FILES:,} files of data in {base / str(path)}; there are more"
            )
        yield from sorted(file for file in there if isfile(file))


def load_rows(definition: Definition, split: Split, base: Path) -> Any:
    """The split as a ``datasets.Dataset``, before the definition's own ``process_docs``."""
    name = split_name(definition, split)
    for file in local_files(definition, base):
        if not is_file(file):
            raise definition.error(
                f"no such data file: {file} (relative paths in dataset_kwargs start from the folder of the spec)"
            )
    try:
        with quiet():
            splits = _load(definition, base)
    except Exception as error:  # every reader and the hub have errors of their own
        raise _unreadable(definition, error) from error
    if not isinstance(splits, Mapping) or name not in splits:
        had = ", ".join(map(repr, splits)) if isinstance(splits, Mapping) else "no splits"
        raise definition.error(f"its data have no split {name!r}; they have {had}")
    if not len(splits[name]):
        raise definition.error(f"the split {name!r} of its data is empty")
    return splits[name]


def _load(definition: Definition, base: Path) -> Any:
    import datasets

    settings = definition.settings
    given = dict(settings.get("dataset_kwargs") or {})
    if callable(settings.get("custom_dataset")):
        return settings["custom_dataset"](**(settings.get("metadata") or {}), **given)
    given.pop("trust_remote_code", None)
    path, name = settings.get("dataset_path"), settings.get("dataset_name")
    if not any(True for _ in local_files(definition, base)):
        return datasets.load_dataset(path, name, **given)
    for key in ("data_files", "data_dir"):
        if key in given:
            given[key] = _placed(given[key], base)
    # read anew each time: the cache of datasets goes by the times of files
    with TemporaryDirectory() as cache:
        where = path if path in _FILE_READERS else str(base / str(path))
        return datasets.load_dataset(where, name, cache_dir=cache, keep_in_memory=True, **given)


def _placed(paths: Any, base: Path) -> Any:
    """Paths relative to the spec's folder, in whatever shape they are given; addresses stay as they are."""
    if isinstance(paths, Mapping):
        return {split: _placed(one, base) for split, one in paths.items()}
    if isinstance(paths, list):
        return [_placed(path, base) for path in paths]
    return str(base / home(paths)) if isinstance(paths, str) and "://" not in paths else paths


def _texts(paths: Any) -> Iterator[str]:
    if isinstance(paths, Mapping | list):
        for one in paths.values() if isinstance(paths, Mapping) else paths:
            yield from _texts(one)
    elif isinstance(paths, str) and "://" not in paths:
        yield paths


def _unreadable(definition: Definition, error: Exception) -> DataError:
    path, name = definition.settings.get("dataset_path"), definition.settings.get("dataset_name")
    if path in _FILE_READERS or callable(definition.settings.get("custom_dataset")):
        return definition.error(f"its data cannot be read: {reason(error)}")
    what = f"{path!r} ({name})" if name else repr(path)
    return definition.error(
        f"cannot load the data set {what}: {reason(error)}. Without network it must be in the cache of datasets: load it "
        "once where there is one, or define the task in a folder of yours with dataset_path: json and local files"
    )
