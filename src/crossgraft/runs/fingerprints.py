"""The content of what lies outside the spec: hashes of files and folders, commits of hub models."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from crossgraft.errors import DataError, MissingInputs
from crossgraft.identity import content_id
from crossgraft.safety import files, seals
from crossgraft.safety.opening import is_file, is_folder
from crossgraft.study import Input

_OLD = re.compile(rb'\{"(/|\w:)')  # a first path
_IGNORED = ("readme", "license", "notice", "use_policy")  # words for people, not for the model
_PATIENCE = 5.0  # seconds for the hub to answer


class FingerprintCache:
    """Content hashes of files, remembered by size, times and inode in one JSON file."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known: dict[str, list[Any]] = {}
        self._changed = False
        if file is not None:
            with suppress(ValueError, OSError):  # only a cache: hash again
                self._known = remembered(file)

    def of_file(self, path: Path) -> str:
        status = path.stat()
        stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        key = str(path.resolve())
        known = self._known.get(key)
        if known is not None and known[:4] == stamp:
            return str(known[4])
        digest = seals.file_digest(path)
        self._known[key] = [*stamp, digest]
        self._changed = True
        return digest

    def save(self) -> None:
        """Remember what was hashed, where the folder can be written: a full disk or a read-only store ends nothing."""
        if self._file is not None and self._changed:
            with suppress(OSError):
                files.write_whole(self._file, seals.to_json(self._known))


def remembered(file: Path) -> dict[str, Any]:
    """What a cache of fingerprints holds; ``Broken`` when it is damaged. Older ones have no checksum."""
    content = file.read_bytes()
    try:
        known = json.loads(content) if _OLD.match(content) else seals.from_json(content)
    except (ValueError, RecursionError) as error:
        raise seals.Broken(str(error)) from error
    if not all(isinstance(one, list) and len(one) == 5 for one in known.values()):
        raise seals.Broken("it holds no fingerprints")
    return dict(known)


def fingerprint(inputs: Iterable[Input], cache: FingerprintCache | None = None) -> dict[Input, str]:
    """The content hash of every input; a hub id counts by the commit it resolves to. All that is missing is named at once."""
    inputs, cache = tuple(inputs), cache or FingerprintCache()
    if missing := [text for one in inputs if (text := _missing(one))]:
        raise MissingInputs(missing)
    found = {one: _fingerprint(one, cache) for one in inputs}
    cache.save()
    return found


def _missing(one: Input) -> str:
    """What is not there, as a sentence; empty where it is, or lies in no file."""
    if one.kind in ("hub", "value") or (is_file if one.kind == "file" else is_folder)(Path(one.path)):
        return ""
    return f"{one.role}: no such {'file' if one.kind == 'file' else 'folder'}: {one.path}"


def _fingerprint(one: Input, cache: FingerprintCache) -> str:
    if one.kind == "value":
        return f"value:{one.revision}"
    if one.kind == "hub":
        return f"hub:{one.path}@{hub_commit(one.path, one.revision, one.role)}"
    path = Path(one.path)
    if one.kind == "file":
        return cache.of_file(path)
    names = sorted(file.name for file in _files_that_count(path))
    if not names:
        raise DataError(f"{one.role}: the folder {path} is empty")
    return content_id(files={name: cache.of_file(path / name) for name in names})


def _files_that_count(folder: Path) -> Iterator[Path]:
    for file in folder.iterdir():
        if file.is_file() and not file.name.startswith(".") and not file.name.lower().startswith(_IGNORED):
            yield file


def hub_commit(name: str, revision: str, role: str) -> str:
    """The commit a hub revision stands for: itself, from the local cache, or asked of the hub."""
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        return revision
    cached = _hub_cache(name) / "refs" / revision
    if is_file(cached):
        return cached.read_text("utf-8").strip()
    try:
        from huggingface_hub import HfApi  # heavy, and only needed for a revision never seen here

        commit = HfApi().model_info(name, revision=revision, timeout=_PATIENCE).sha
    except Exception as error:  # the hub client has no common base for "offline"
        reason = str(error).strip().splitlines()
        raise DataError(
            f"{role}: cannot find revision {revision!r} of {name!r} on the model hub "
            f"({type(error).__name__}: {reason[0] if reason else 'no detail'}). Without network, download the model "
            f'where there is one and give its folder as path = "…", or name a commit that is in the local cache'
        ) from error
    return str(commit)


def _hub_cache(name: str, kind: str = "models") -> Path:
    """Where the hub's client keeps a model, or a data set."""
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    return Path(os.environ.get("HF_HUB_CACHE", home / "hub")) / f"{kind}--{name.replace('/', '--')}"


def hub_is_reachable(name: str, commit: str) -> bool:
    """Whether the hub answers, whatever it says: one quick question, where its client would retry for half a minute a file."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        HfApi().model_info(name, revision=commit, timeout=_PATIENCE)
    except HfHubHTTPError as error:
        return bool(error.response.status_code < 500)  # a gateway that finds no hub is no answer of it
    except Exception:  # the hub client has no common base for "offline"
        return False
    return True


def in_hub_cache(name: str, commit: str) -> bool:
    return (_hub_cache(name) / "snapshots" / commit).is_dir()


def dataset_snapshot(name: str, commit: str) -> Path | None:
    """The folder in which the hub's client keeps a data set at a commit; None where it does not."""
    folder = _hub_cache(name, "datasets") / "snapshots" / commit
    return folder if folder.is_dir() else None
