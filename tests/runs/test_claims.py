"""Claims by leases, for file systems whose locks do not keep other machines out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossgraft.runs.claims import MARKER, Leases, Locks, _mount_of, claims_in, mount_shares_locks

ELSEWHERE = '{"host": "another", "pid": 1}'  # a holder on a machine that this one cannot look into


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def leases(tmp_path: Path, clock: Clock) -> Leases:
    return Leases(tmp_path, clock=clock, expiry=100.0)


def lease_of_another(folder: Path, name: str = "job") -> Path:
    file = folder / f"{name}.1.lease"
    file.write_text(ELSEWHERE)
    return file


def test_a_lease_is_exclusive_and_ends(leases: Leases, tmp_path: Path) -> None:
    hold = leases.hold("job")
    assert hold is not None
    assert Leases(tmp_path).hold("job") is None

    hold.release()

    assert Leases(tmp_path).hold("job") is not None


def test_a_silent_lease_is_taken_over_after_its_expiry_and_not_before(
    leases: Leases, clock: Clock, tmp_path: Path
) -> None:
    dead = lease_of_another(tmp_path)

    assert leases.hold("job") is None  # seen for the first time
    clock.now = 99.0
    assert leases.hold("job") is None
    clock.now = 101.0
    assert leases.hold("job") is not None
    assert not dead.exists()


def test_a_lease_that_is_touched_is_never_taken_over(leases: Leases, clock: Clock, tmp_path: Path) -> None:
    live = lease_of_another(tmp_path)

    for beat in range(10):
        clock.now = 80.0 * beat
        os.utime(live, (beat, beat))
        assert leases.hold("job") is None


@pytest.mark.parametrize("jump", [0, 4e9])
def test_a_clock_that_jumps_is_a_sign_of_life_like_any_other(
    leases: Leases, clock: Clock, tmp_path: Path, jump: float
) -> None:
    """The holder's clock goes to 1970 or 2096: only that the time changes counts, never what it says."""
    live = lease_of_another(tmp_path)
    assert leases.hold("job") is None

    clock.now = 90.0
    os.utime(live, (jump, jump))
    assert leases.hold("job") is None
    clock.now = 180.0
    assert leases.hold("job") is None


def test_only_one_of_many_takes_over(tmp_path: Path) -> None:
    clocks = [Clock() for _ in range(8)]
    takers = [Leases(tmp_path, clock=clock, expiry=100.0) for clock in clocks]
    lease_of_another(tmp_path)
    assert [taker.hold("job") for taker in takers] == [None] * 8

    for clock in clocks:
        clock.now = 101.0
    holds = [taker.hold("job") for taker in takers]

    assert sum(hold is not None for hold in holds) == 1


def test_a_late_taker_gives_way_to_a_lease_made_meanwhile(leases: Leases, clock: Clock, tmp_path: Path) -> None:
    """Another took over and released; a third holds anew. An old observation is no right to the name."""
    dead = lease_of_another(tmp_path)
    assert leases.hold("job") is None
    clock.now = 101.0
    dead.unlink()
    lease_of_another(tmp_path).write_text(ELSEWHERE + " ")

    assert leases.hold("job") is None


def test_the_lease_of_a_process_that_died_on_this_machine_is_free_at_once(leases: Leases, tmp_path: Path) -> None:
    script = f"from crossgraft.runs.claims import Leases; from pathlib import Path; Leases(Path({str(tmp_path)!r})).hold('job'); import os; os._exit(9)"
    subprocess.run([sys.executable, "-c", script], check=False, env=os.environ)
    assert list(tmp_path.glob("job.*.lease"))

    assert leases.hold("job") is not None


def test_patience_ends_with_silence_or_with_a_sign_of_life(leases: Leases, clock: Clock, tmp_path: Path) -> None:
    file = lease_of_another(tmp_path)
    leases.hold("job")
    clock.now = 40.0
    assert leases.patience("job") == 60.0

    os.utime(file, (1, 1))

    assert leases.patience("job") == 0.0


def test_a_process_that_was_declared_dead_makes_no_new_lease(tmp_path: Path) -> None:
    leases = Leases(tmp_path, beat=0.01)
    hold = leases.hold("job")
    (file,) = tmp_path.glob("job.*.lease")
    file.unlink()

    heart = leases._heart
    assert heart is not None
    while heart._files:
        heart.join(0.01)

    assert hold is not None
    assert not file.exists()


def test_every_process_on_a_store_claims_alike(tmp_path: Path) -> None:
    assert isinstance(claims_in(tmp_path), Locks)

    (tmp_path / MARKER).touch()

    assert isinstance(claims_in(tmp_path), Leases)


@pytest.mark.parametrize(
    ("kind", "options", "shared"),
    [
        ("ext4", "rw,relatime", True),
        ("nfs4", "rw,vers=4.2,local_lock=none", True),
        ("nfs", "rw,nolock", False),
        ("nfs4", "rw,local_lock=all", False),
        ("lustre", "rw", False),
        ("lustre", "rw,flock", True),
        ("lustre", "rw,localflock", False),
        ("fuse.sshfs", "rw", False),
    ],
)
def test_mounts_whose_locks_stay_on_one_machine_are_known(kind: str, options: str, shared: bool) -> None:
    assert mount_shares_locks(kind, options) is shared


def test_the_mount_of_a_folder_is_the_innermost(tmp_path: Path) -> None:
    table = "\n".join(
        [
            "22 1 0:21 / / rw shared:1 - ext4 /dev/sda1 rw",
            f"23 22 0:22 / {tmp_path} rw,noatime shared:2 - lustre mds@tcp:/work rw,localflock",
        ]
    )

    assert _mount_of(tmp_path / "deep", table) == ("lustre", "rw,noatime,rw,localflock")
    assert _mount_of(Path("/"), table)[0] == "ext4"
