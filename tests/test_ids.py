"""Ids of results are those of earlier versions: what a store holds is not computed again after an update."""

from __future__ import annotations

import hashlib
from pathlib import Path

from crossgraft import Store, describe_study, load_study


def digest(spec: Path, root: Path) -> str:
    jobs = describe_study(load_study(spec), Store(root), check=False).jobs
    return hashlib.sha256("".join(sorted(cell.record_id for job in jobs for cell in job.cells)).encode()).hexdigest()[
        :16
    ]


def test_an_adapter_study_has_the_ids_of_version_0_1(adapter_spec_without_model: Path, tmp_path: Path) -> None:
    assert digest(adapter_spec_without_model, tmp_path / "runs") == "d10c01567c91b6e6"
