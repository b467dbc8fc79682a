"""Every Eval Ever, schema 0.3.0 (EvalEval Coalition): one JSON file per run, and its items as JSONL beside it."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from crossgraft import __version__
from crossgraft.core import Answers, Floats
from crossgraft.report.exports.results import Result, Run
from crossgraft.safety.files import safe_name

_SCHEMA = "0.3.0"
_DIVISORS: Mapping[str, str] = {
    "accuracy": "",
    "accuracy-per-token": "tokens",
    "accuracy-per-char": "characters",
    "accuracy-per-byte": "bytes",
}  # metrics of which we know the option that was chosen
_UNKNOWN = "unknown"


def every_eval_ever(run: Run, organization: str) -> dict[str, str]:
    """The files of one run, by their path in the datastore."""
    model = _model(run, organization)
    developer, _, name = model["id"].partition("/")
    unique = _uuid(run)
    folder = f"data/{safe_name(run.study)}/{safe_name(developer)}/{safe_name(name)}"
    now = str(int(time.time()))
    head = {"schema_version": _SCHEMA, "evaluation_id": f"{run.study}/{model['id']}/{now}"}
    lines = [
        json.dumps({**head, "model_id": model["id"], **item}, ensure_ascii=False)
        for result in run.results
        for item in _items(result)
    ]
    log = {
        **head,
        "retrieved_timestamp": now,
        "source_metadata": {
            "source_name": run.study,
            "source_type": "evaluation_run",
            "source_organization_name": organization,
            "evaluator_relationship": "first_party" if run.treatment.kind == "trained" else "third_party",
        },
        "eval_library": {"name": "crossgraft", "version": __version__},
        "model_info": model,
        "evaluation_results": [_result(result) for result in run.results],
    }
    files = {}
    if lines:
        text = "\n".join(lines) + "\n"
        path = f"{folder}/{unique}_samples.jsonl"
        files[path] = text
        log["detailed_evaluation_results"] = {
            "format": "jsonl",
            "file_path": path,
            "hash_algorithm": "sha256",
            "checksum": hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest(),
            "total_rows": len(lines),
        }
    return {f"{folder}/{unique}.json": json.dumps(log, indent=1, ensure_ascii=False) + "\n", **files}


def _uuid(run: Run) -> str:
    """From the ids of the records, so that an export that is repeated writes over itself."""
    digest = hashlib.sha256("\n".join(result.record.id for result in run.results).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _model(run: Run, organization: str) -> dict[str, Any]:
    """A base from the hub has its own name there; everything else is the organization's."""
    said, treatment = run.model, run.treatment
    hub = str(said.get("hub") or "")
    details = {"deployment_type": "self_deployed", "model_availability": "open_weights" if hub else _UNKNOWN}
    details |= {key: str(said[key]) for key in ("revision", "dtype") if said.get(key)}
    if treatment.is_control:
        identifier = hub if "/" in hub else f"{organization}/{safe_name(treatment.model)}"
    else:
        seed = "" if treatment.seed is None else f"-seed{treatment.seed}"
        identifier = f"{organization}/{safe_name(treatment.model)}-{safe_name(treatment.label)}{seed}"
        details |= {"base_model": hub or treatment.model, "source": str(treatment.source or _UNKNOWN)}
        details["treatment_kind"] = treatment.kind
    return {
        "name": run.name,
        "id": identifier,
        "developer": identifier.partition("/")[0],
        "additional_details": details,
    }


def _result(result: Result) -> dict[str, Any]:
    score, metric = result.score, result.metric
    share = metric.unit == "share"
    bounds = {"min_score": 0.0, "max_score": 1.0} if share else {"min_score": "-Infinity", "max_score": "Infinity"}
    details: dict[str, Any] = {"score": score.value}
    if np.isfinite([score.low, score.high]).all():
        ends = {"lower": score.low, "upper": score.high, "confidence_level": 0.95}
        method = "Wilson" if share and metric.is_mean else "bootstrap over items"
        details["uncertainty"] = {"confidence_interval": {**ends, "method": method}, "num_samples": score.n}
    return {
        "evaluation_result_id": _result_id(result),
        "evaluation_name": str(score.target),
        "source_data": {
            "dataset_name": score.target.task,
            "source_type": "other",
            "additional_details": {"language": score.target.lang, "item_set": result.record.item_set},
        },
        "metric_config": {
            "metric_id": metric.name,
            "metric_name": metric.name,
            "metric_unit": "proportion" if share else metric.unit,
            "lower_is_better": not metric.higher_is_better,
            "score_type": "continuous",
            **bounds,
        },
        "score_details": details,
    }


def _result_id(result: Result) -> str:
    return f"{result.record.target}#{result.metric.name}"


def has_items(result: Result) -> bool:
    """Whether the items can be exported: a question, an answer and a score of its own for each."""
    if result.texts is None or "prompt" not in result.texts.columns or not result.metric.is_mean:
        return False
    kind = result.record.answers.kind
    return (kind == "choice" and result.metric.name in _DIVISORS) or kind == "generation"


def _items(result: Result) -> Iterator[dict[str, Any]]:
    if not has_items(result):
        return
    assert result.texts is not None
    columns, answers = result.texts.columns, result.record.answers
    rows = {item: row for row, item in enumerate(result.texts.items)}
    chosen = _chosen(result) if answers.kind == "choice" else None
    for place, (item, score) in enumerate(zip(answers.items, result.item_scores.tolist(), strict=True)):
        if item not in rows or np.isnan(score):
            continue
        row = rows[item]
        if chosen is not None:
            options = [str(option) for option in columns["options"][row]]
            gold, said = [options[int(answers.columns["gold"][place])]], options[chosen[place]]
        else:
            options, gold = [], [str(reference) for reference in columns["references"][row]]
            said = str(answers.columns["answer"][place])
        yield {
            "evaluation_name": str(result.record.target),
            "evaluation_result_id": _result_id(result),
            "sample_id": item,
            "interaction_type": "single_turn",
            "input": {"raw": str(columns["prompt"][row]), "reference": gold, "choices": options or None},
            "output": {"raw": [said]},
            "answer_attribution": [_attribution(said, result)],
            "evaluation": {"score": score, "is_correct": score == 1.0},
        }


def _attribution(said: str, result: Result) -> dict[str, Any]:
    method = "option with the highest log-likelihood" if result.record.answers.kind == "choice" else "whole output"
    return {
        "turn_idx": 0,
        "source": "output.raw",
        "extracted_value": said,
        "extraction_method": f"{method}, {result.metric.name}",
        "is_terminal": True,
    }


def _chosen(result: Result) -> list[int]:
    """The option that the metric takes for the answer; of tied ones the first."""
    answers: Answers = result.record.answers
    divisor = _DIVISORS[result.metric.name]
    scores: Floats = answers.columns["loglik"] / (answers.columns[divisor] if divisor else 1.0)
    return [int(place) for place in np.nanargmax(scores, axis=1)]
