"""Push and pull: what one side lacks is copied, checked on the way, whole or absent; what is there stays.

A file is known by its name, and names come from content. So two stores that push to one place are merged, and what was
interrupted goes on. Where both sides have a file of one name, each keeps its own: the same result, perhaps timed
differently. A damaged one gives way to a whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from crossgraft.errors import StoreError, did_you_mean
from crossgraft.runs.storage.layout import Manifest, manifest_to_json
from crossgraft.runs.storage.reading import entries
from crossgraft.runs.storage.remote.bucket import Bucket
from crossgraft.runs.storage.remote.parts import UNSEALED, Part, Selection, damage_in, is_file_of_adapter, part
from crossgraft.runs.storage.remote.studies import conflict, manifest_in, replaces
from crossgraft.runs.storage.store import Store
from crossgraft.runs.storage.writing import write, writing
from crossgraft.safety import files, seals
from crossgraft.safety.seals import CHECKSUMS, Broken

AT_ONCE = 16  # files under way: an object store takes tens of milliseconds for each
README = "README.md"  # people may edit it, so it has no checksum


@dataclass(frozen=True)
class Copied:
    """What became of a file, or of an adapter."""

    name: str
    result: Literal["copied", "there", "damaged", "conflict"]
    bytes: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Copy:
    """A store here, and its copy at a URL, of which the files are known."""

    store: Store
    bucket: Bucket
    sizes: dict[str, int]  # of the parts there, by their names below the folder of the format

    @classmethod
    def of(cls, store: Store, bucket: Bucket) -> Copy:
        begin = f"{store.root.name}/"
        listed = bucket.sizes()
        if newer := sorted(_newer(listed, store.root.name)):
            raise StoreError(f"{bucket.url}: {newer[0]} was written by a newer crossgraft: upgrade crossgraft")
        names = {name.removeprefix(begin): size for name, size in listed.items() if name.startswith(begin)}
        return cls(store, bucket, {name: size for name, size in names.items() if part(name)})

    def read(self, name: str) -> bytes:
        return self.bucket.read(self._path(name))

    def write(self, name: str, content: bytes) -> None:
        self.bucket.write(self._path(name), content)

    def upload(self, file: Path, name: str) -> None:
        self.bucket.upload(file, self._path(name))

    def download(self, name: str, file: Path) -> None:
        self.bucket.download(self._path(name), file)

    def _path(self, name: str) -> str:
        return f"{self.store.root.name}/{name}"

    def parts(self) -> list[Part]:
        return [entry for entry in map(part, self.sizes) if entry]

    def study(self, name: str) -> Manifest:
        file = f"studies/{files.safe_name(name)}.json"
        if file not in self.sizes:
            known = [entry.id for entry in self.parts() if entry.kind == "studies"]
            raise StoreError(f"no study {name!r} at {self.bucket.url}{did_you_mean(name, known)}")
        try:
            return manifest_in(self.read(file), files.safe_name(name))
        except Broken as error:
            raise StoreError(f"{self.bucket.url}/{self._path(file)}: {error}") from error


def _newer(names: Iterable[str], ours: str) -> set[str]:
    begin, _, number = ours.rpartition("-")
    folders = {name.partition("/")[0] for name in names}
    numbers = {folder: folder.removeprefix(f"{begin}-") for folder in folders if folder.startswith(f"{begin}-")}
    return {folder for folder, text in numbers.items() if text.isdecimal() and int(text) > int(number)}


def push(store: Store, bucket: Bucket, selection: Selection, *, replace: bool = False) -> Iterator[Copied]:
    """Copy what the other side lacks of a store there; studies come last."""
    copy = Copy.of(store, bucket)
    parts = [entry for entry in _parts_of(store, selection) if selection.has(entry)]
    yield from _at_once(partial(_push_file, copy, entry) for entry in parts)
    if selection.adapters:
        folders = sorted(_adapters(store))
        wanted = [name for name in folders if selection.has(Part("adapters", name, name))]
        yield from _at_once(partial(_push_adapter, copy, name) for name in wanted)
    for name in [selection.study] if selection.study else store.studies():
        yield _push_study(copy, store.study(name), replace=replace)


def pull(
    store: Store, bucket: Bucket, study: str = "", *, adapters: bool = True, replace: bool = False
) -> Iterator[Copied]:
    """Copy what a store lacks from the other side; records that a pack of the store holds are there."""
    copy = Copy.of(store, bucket)
    if not copy.sizes:
        raise StoreError(f"nothing of a store was found at {bucket.url}; correct the URL, or push there first")
    selection = Selection.of(copy.study(study), adapters=adapters) if study else Selection(adapters=adapters)
    parts = [entry for entry in copy.parts() if selection.has(entry)]
    packs = [entry for entry in parts if entry.kind == "packs"]
    yield from _at_once(partial(_pull_file, copy, entry) for entry in packs)
    packed = set(store.packs.names())
    for entry in parts:
        if entry.kind == "records" and entry.stem in packed:
            yield Copied(entry.name, "there")
    single = [entry for entry in parts if entry.kind in ("texts", "records") and entry.stem not in packed]
    yield from _at_once(partial(_pull_file, copy, entry) for entry in single)
    folders = sorted({entry.id for entry in parts if entry.kind == "adapters"})
    yield from _at_once(partial(_pull_adapter, copy, name) for name in folders)
    for entry in parts:
        if entry.kind == "studies" and (not study or entry.id == files.safe_name(study)):
            yield _pull_study(copy, entry, replace=replace)


def _at_once(tasks: Iterable[Callable[[], Copied]]) -> Iterator[Copied]:
    """Several at a time; an error or an interruption begins no more."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda task: task(), tasks)


def _parts_of(store: Store, selection: Selection) -> Iterator[Part]:
    """The Parquet files here, texts first. Of packs, those that hold a record that is asked for."""
    wanted = selection.records

    def is_wanted(name: str) -> bool:
        return wanted is None or name.partition(".")[0] in wanted

    for file in (*store.text_files(), *store.packs.files(is_wanted), *store.single_files()):
        entry = part(file.relative_to(store.root).as_posix()) if file.is_relative_to(store.root) else None
        if entry is not None:
            yield entry


def _adapters(store: Store) -> Iterator[str]:
    for folder in entries(store.artefacts):
        if part(f"adapters/{folder.name}/{CHECKSUMS}") and folder.is_dir():
            yield folder.name


def _push_file(copy: Copy, entry: Part) -> Copied:
    file, size = copy.store.root / entry.name, copy.sizes.get(entry.name)
    try:
        content = file.read_bytes()
    except FileNotFoundError:  # a pack has taken it up meanwhile
        return Copied(entry.name, "there")
    if damage := damage_in(content, entry.stem):
        return Copied(entry.name, "damaged", reason=damage)
    if size == len(content) or (size is not None and not damage_in(copy.read(entry.name), entry.stem)):
        return Copied(entry.name, "there")
    copy.write(entry.name, content)
    return Copied(entry.name, "copied", len(content))


def _pull_file(copy: Copy, entry: Part) -> Copied:
    file = copy.store.root / entry.name
    with writing(file):
        size = file.stat().st_size if file.exists() else None
        if size == copy.sizes[entry.name] or (size is not None and not damage_in(file.read_bytes(), entry.stem)):
            return Copied(entry.name, "there")
    content = copy.read(entry.name)
    if damage := damage_in(content, entry.stem):
        return Copied(entry.name, "damaged", reason=damage)
    write(file, content)
    return Copied(entry.name, "copied", len(content))


def _push_adapter(copy: Copy, name: str) -> Copied:
    """Its checksums come last: where they are, all of it is."""
    folder, place = copy.store.artefacts / name, f"adapters/{name}"
    if f"{place}/{CHECKSUMS}" in copy.sizes:
        return Copied(place, "there")
    try:
        if not seals.check_folder(folder):
            return Copied(place, "damaged", reason=UNSEALED)
        content = (folder / CHECKSUMS).read_bytes()
        names = _names_in(content)
    except Broken as error:
        return Copied(place, "damaged", reason=str(error))
    names += [README] if (folder / README).is_file() else []
    for file in names:
        copy.upload(folder / file, f"{place}/{file}")
    copy.write(f"{place}/{CHECKSUMS}", content)
    return Copied(place, "copied", sum((folder / file).stat().st_size for file in names))


def _pull_adapter(copy: Copy, name: str) -> Copied:
    folder, place = copy.store.artefacts / name, f"adapters/{name}"
    if folder.exists():
        return Copied(place, "there")
    if f"{place}/{CHECKSUMS}" not in copy.sizes:
        return Copied(place, "damaged", reason="it is not whole: its push was interrupted, or is under way")
    content = copy.read(f"{place}/{CHECKSUMS}")
    try:
        names = _names_in(content)
        with writing(folder), files.whole_folder(folder) as partial_folder:
            for file in (*names, *([README] if f"{place}/{README}" in copy.sizes else [])):
                if f"{place}/{file}" not in copy.sizes:
                    raise Broken(f"{file} is missing")
                (partial_folder / file).parent.mkdir(parents=True, exist_ok=True)
                copy.download(f"{place}/{file}", partial_folder / file)
            (partial_folder / CHECKSUMS).write_bytes(content)
            seals.check_folder(partial_folder)
    except Broken as error:
        return Copied(place, "damaged", reason=f"{error}; delete it there, and push it again")
    return Copied(place, "copied", sum(copy.sizes[f"{place}/{file}"] for file in names))


def _names_in(checksums: bytes) -> list[str]:
    """The files of an adapter; ``Broken`` where a name leads out of its folder."""
    names = seals.from_json(checksums).get("files")
    if not isinstance(names, dict) or not all(map(is_file_of_adapter, names)):
        raise Broken(f"{CHECKSUMS} names files that no adapter has")
    return list(names)


def _push_study(copy: Copy, ours: Manifest, *, replace: bool) -> Copied:
    name = f"studies/{files.safe_name(ours.name)}.json"
    theirs = None
    if name in copy.sizes:
        try:
            theirs = manifest_in(copy.read(name), files.safe_name(ours.name))
        except Broken:  # a damaged one gives way
            theirs = None
    if theirs == ours or (theirs and not (replace or replaces(ours, theirs))):
        return _left(name, conflict(ours, theirs))
    content = seals.to_json(manifest_to_json(ours))
    copy.write(name, content)
    return Copied(name, "copied", len(content))


def _pull_study(copy: Copy, entry: Part, *, replace: bool) -> Copied:
    try:
        theirs = manifest_in(copy.read(entry.name), entry.id)
    except Broken as error:
        return Copied(entry.name, "damaged", reason=str(error))
    ours = copy.store.study(theirs.name) if theirs.name in copy.store.studies() else None
    if ours == theirs or (ours and not (replace or replaces(theirs, ours))):
        return _left(entry.name, conflict(theirs, ours))
    copy.store.manifests.save(theirs)
    return Copied(entry.name, "copied", copy.sizes[entry.name])


def _left(name: str, reason: str) -> Copied:
    if not reason:
        return Copied(name, "there")
    return Copied(name, "conflict", reason=f"{reason}; the one there was left alone, and --replace writes over it")
