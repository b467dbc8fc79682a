"""Why jobs of a store have no result: one file per failed job, and its traceback in a log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crossgraft.core import Job
from crossgraft.runs.storage.reading import Damage, read_json
from crossgraft.runs.storage.writing import write, writing
from crossgraft.safety import seals
from crossgraft.safety.seals import Broken
from crossgraft.study import Failed

_FIELDS = {"job": str, "records": list, "message": str, "deterministic": bool}


class Failures:
    """The failed jobs of a store: job, the records it was to make, message, deterministic, log, at.

    A failure that cannot be read does not count: the next run tries its job again.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def add(self, failed: Failed) -> None:
        """Keep why a job has no result; a traceback we did not foresee goes to the job's log."""
        job = failed.job
        if failed.traceback:
            log = self.log_file(job)
            with writing(log):
                log.parent.mkdir(parents=True, exist_ok=True)
                with log.open("a", encoding="utf-8", errors="backslashreplace") as stream:
                    stream.write(f"{datetime.now(UTC).isoformat()} {job}\n{failed.traceback}\n")
        failure = {
            "job": str(job),
            "records": [cell.record_id for cell in job.cells],
            "message": str(failed.error),
            "deterministic": failed.error.deterministic,
            "log": str(self.log_file(job)) if failed.traceback else "",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write(self._file(job.treatment_id), seals.to_json(failure))

    def forget(self, job: Job) -> None:
        with writing(self._file(job.treatment_id)) as file:
            file.unlink(missing_ok=True)

    def of(self, treatment_id: str) -> dict[str, Any] | None:
        """The failure of one job; None where there is none that can be read."""
        try:
            return read_json(self._file(treatment_id), _checked)
        except Broken:
            return None

    def read(self) -> tuple[dict[str, dict[str, Any]], list[Damage]]:
        """The failures by treatment id, and the files that cannot be read as one."""
        failures: dict[str, dict[str, Any]] = {}
        damages = []
        for file in sorted(self._root.glob("failures/[!.]*.json")):
            try:
                failure = read_json(file, _checked)
            except Broken as error:
                damages.append(Damage(file, str(error), "not counted: the next run tries its job again; delete it"))
            else:
                failures |= {file.stem: failure} if failure is not None else {}
        return failures, damages

    def log_file(self, job: Job) -> Path:
        return self._root / "logs" / f"{job.treatment_id}.log"

    def _file(self, treatment_id: str) -> Path:
        return self._root / "failures" / f"{treatment_id}.json"


def _checked(value: Mapping[str, Any]) -> dict[str, Any]:
    wrong = [name for name, kind in _FIELDS.items() if not isinstance(value.get(name), kind)]
    if wrong:
        raise Broken(f"no failure of a job: {', '.join(wrong)} missing or of a wrong type")
    return dict(value)
