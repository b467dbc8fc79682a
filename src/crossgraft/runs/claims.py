"""Who works on what: claims that hold between processes and between machines.

Where the file system locks files for all machines, a claim is a lock, which goes with its process. Where it does
not (Lustre without ``flock``, NFS with local locks, some FUSE mounts), a claim is a *lease*: a file that its holder
touches every ``BEAT`` seconds. A lease that nobody touched for ``EXPIRY`` seconds is taken over.
"""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from crossgraft.errors import StoreError
from crossgraft.safety.files import why

try:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock
except ImportError:  # Windows
    _CAN_LOCK = False
else:
    _CAN_LOCK = True

Kind = Literal["locks", "leases"]

BEAT = 20.0  # seconds; attributes of files on NFS may be a minute old, so EXPIRY is several minutes
EXPIRY = 240.0
MARKER = "use-leases"  # a file of this name among the claims: every process on the store uses leases
_LEASE = re.compile(r"(.+)\.(\d+)\.lease")
_LOCAL_LOCKS = {  # mount options under which a lock is seen on one machine only
    "nfs": ("nolock", "local_lock=flock", "local_lock=all"),
    "nfs4": ("local_lock=flock", "local_lock=all"),
    "lustre": ("localflock", "noflock"),
}
_NEVER_SHARED = ("fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "9p")


class Claims(Protocol):
    """A way to hold a name for oneself."""

    @property
    def kind(self) -> Kind: ...

    def hold(self, name: str) -> Hold | None:
        """The hold on a name; None while another process has it."""
        ...

    def held(self, names: Iterable[str]) -> int:
        """How many of the names somebody holds now, as far as a look can say."""
        ...

    def patience(self, name: str) -> float:
        """Seconds until a holder that is dead would be known to be; 0 where that is known already."""
        ...


class Hold(Protocol):
    def release(self) -> None: ...


def claims_in(folder: Path) -> Claims:
    """The claims of a store: locks where they hold for every machine, else leases.

    The first process that finds locks wanting leaves a marker, so that all processes on a store claim alike.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / MARKER).exists():
            return Leases(folder)
        if locks_hold(folder):
            return Locks(folder)
        (folder / MARKER).touch()
    except OSError as error:
        raise StoreError(f"cannot write into the store: {why(error)}") from error
    return Leases(folder)


def locks_hold(folder: Path) -> bool:
    """Whether a lock on a file in this folder keeps processes on other machines out, as far as this machine can say."""
    if not _CAN_LOCK:
        return False
    if sys.platform == "linux":
        with suppress(OSError, ValueError):
            if not mount_shares_locks(*_mount_of(folder, Path("/proc/self/mountinfo").read_text("utf-8"))):
                return False
    probe = folder / f".probe-{os.getpid()}-{threading.get_ident()}"
    try:
        with probe.open("w") as stream:
            flock(stream, LOCK_EX | LOCK_NB)
            flock(stream, LOCK_UN)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL):
            return False
        raise
    finally:
        with suppress(OSError):
            probe.unlink()
    return True


def mount_shares_locks(kind: str, options: str) -> bool:
    """Whether a file system of this kind, mounted so, shows locks to other machines (or is of this machine alone).

    >>> mount_shares_locks("ext4", "rw"), mount_shares_locks("nfs4", "rw,local_lock=none")
    (True, True)
    >>> mount_shares_locks("lustre", "rw,flock"), mount_shares_locks("lustre", "rw,localflock")
    (True, False)
    """
    names = options.split(",")
    if kind == "lustre" and "flock" not in names:
        return False
    return kind not in _NEVER_SHARED and not any(option in names for option in _LOCAL_LOCKS.get(kind, ()))


def _mount_of(folder: Path, table: str) -> tuple[str, str]:
    """Kind and options of the mount that a folder lies on: the longest mount point above it, the last of equals."""
    path, best, mount = str(folder.resolve()), "", ("", "")
    for line in table.splitlines():
        left, _, right = line.partition(" - ")
        point = re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), left.split()[4])  # a space is \040
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            kind, _, *options = right.split()
            best, mount = point, (kind, ",".join([left.split()[5], *options]))
    return mount


@dataclass(frozen=True)
class Locks:
    """``flock`` on a file for each name; the lock goes when its process goes."""

    folder: Path
    kind: Kind = "locks"

    def hold(self, name: str) -> Hold | None:
        stream = (self.folder / name).open("w")
        try:
            flock(stream, LOCK_EX | LOCK_NB)
        except OSError:
            stream.close()
            return None
        return _Lock(stream)

    def held(self, names: Iterable[str]) -> int:
        return sum((self.folder / name).exists() and not self._is_free(name) for name in names)

    def _is_free(self, name: str) -> bool:
        """A look locks for an instant, together with others who look: a claim in that instant is tried again later."""
        try:
            with (self.folder / name).open("rb") as stream:
                flock(stream, LOCK_SH | LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def patience(self, name: str) -> float:  # noqa: ARG002
        return 0.0


@dataclass(frozen=True)
class _Lock:
    stream: Any

    def release(self) -> None:
        self.stream.close()


@dataclass
class Leases:
    """A file ``<name>.<generation>.lease`` for each name that is held.

    A lease is created with ``O_EXCL``, so one process gets it. Taking over creates the *next* generation the same way
    and never touches a file of a holder that may live: renaming the old file could rename a new one by mistake.
    Whoever has created a lease looks once more, and gives way to every other that it does not know to be dead. Of two
    processes the later one sees the other's file, so never do both hold a name.

    Whether a holder lives is seen from changes of its file while this process watches, on this process's own
    monotonic clock. No time of day is compared, so clocks may differ and jump.
    """

    folder: Path
    clock: Callable[[], float] = time.monotonic
    beat: float = BEAT
    expiry: float = EXPIRY
    kind: Kind = "leases"
    _watched: dict[str, tuple[tuple[int, ...], float]] = field(default_factory=dict)
    _heart: _Heart | None = None

    def hold(self, name: str) -> Hold | None:
        others = self._leases(name)
        if any(not self._is_dead(file) for file in others.values()):
            return None
        file = self.folder / f"{name}.{max(others, default=0) + 1}.lease"
        try:
            handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            return None
        with os.fdopen(handle, "w") as stream:
            stream.write(json.dumps({"host": _host(), "pid": os.getpid(), "since": time.time()}))
        lease = _Lease(file, self)
        if any(not self._is_dead(other) for other in self._leases(name).values() if other != file):
            lease.release()
            return None
        for other in others.values():  # those of the dead
            with suppress(OSError):
                other.unlink()
        self._beating().add(file)
        return lease

    def held(self, names: Iterable[str]) -> int:
        """Leases of the dead of other machines count until somebody has watched them for long enough."""
        wanted = set(names)
        leases = ((_LEASE.fullmatch(entry), self.folder / entry) for entry in os.listdir(self.folder))
        return len({match[1] for match, file in leases if match and match[1] in wanted and not _died_here(file)})

    def patience(self, name: str) -> float:
        """Until the silence of its holder is long enough; 0 when it is, or when the holder was seen alive."""
        waits = [self._wait(file) for file in self._leases(name).values()]
        return max((wait for wait in waits if wait is not None), default=0.0)

    def _leases(self, name: str) -> dict[int, Path]:
        found = {}
        for entry in os.listdir(self.folder):
            match = _LEASE.fullmatch(entry)
            if match and match[1] == name:
                found[int(match[2])] = self.folder / entry
        return found

    def _is_dead(self, file: Path) -> bool:
        state = _state(file)
        if state is None:
            return True  # released meanwhile
        if _died_here(file):
            return True
        before = self._watched.get(file.name)
        if before is None or before[0] != state:
            self._watched[file.name] = (state, self.clock())
            return False
        return self.clock() - before[1] > self.expiry

    def _wait(self, file: Path) -> float | None:
        """Seconds of silence that are still to be watched; None for a holder that has moved since it was first seen."""
        before = self._watched.get(file.name)
        if before is None or self._is_dead(file):
            return 0.0
        if self._watched[file.name][0] != before[0]:
            return None
        return max(0.0, self.expiry - (self.clock() - before[1]))

    def _beating(self) -> _Heart:
        if self._heart is None or not self._heart.is_alive():
            self._heart = _Heart(self.beat)
            self._heart.start()
        return self._heart

    def let_go(self, file: Path) -> None:
        if self._heart is not None:
            self._heart.discard(file)
        with suppress(OSError):
            file.unlink()


@dataclass(frozen=True)
class _Lease:
    file: Path
    leases: Leases

    def release(self) -> None:
        self.leases.let_go(self.file)


class _Heart(threading.Thread):
    """Touches the leases of this process; one that was taken over is not made again."""

    def __init__(self, beat: float) -> None:
        super().__init__(name="crossgraft-leases", daemon=True)
        self._beat = beat
        self._files: set[Path] = set()
        self._lock = threading.Lock()

    def add(self, file: Path) -> None:
        with self._lock:
            self._files.add(file)

    def discard(self, file: Path) -> None:
        with self._lock:
            self._files.discard(file)

    def run(self) -> None:
        while True:
            time.sleep(self._beat)
            with self._lock:
                files = tuple(self._files)
            for file in files:
                try:
                    os.utime(file)
                except FileNotFoundError:
                    self.discard(file)
                except OSError:
                    continue  # a server that does not answer now may do so at the next beat


def _state(file: Path) -> tuple[int, ...] | None:
    """What a beat changes. Opening the file makes NFS ask its server."""
    try:
        with file.open("rb") as stream:
            status = os.fstat(stream.fileno())
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _died_here(file: Path) -> bool:
    """Whether the holder was a process of this machine, and is gone."""
    try:
        holder: Mapping[str, Any] = json.loads(file.read_text("utf-8"))
        if holder["host"] != _host() or os.name == "nt":
            return False
        os.kill(int(holder["pid"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return False


def _host() -> str:
    """This machine since it was started, and the namespace of its process ids: two containers may share a name."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip())
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return "/".join(parts)


@contextmanager
def holding(claims: Claims, name: str) -> Iterator[bool]:
    """Whether this process has the name, for as long as the block lasts."""
    hold = claims.hold(name)
    try:
        yield hold is not None
    finally:
        if hold is not None:
            hold.release()
