"""``check``: what fine-tuning did to everything else, without a spec."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from crossgraft.cli.commands.reports import print_base_scores, report_of
from crossgraft.cli.commands.runs import carry_out, print_summary, settings_of
from crossgraft.cli.options import AS_JSON, DEVICE, OUT, THREADS
from crossgraft.cli.printing import echo, print_lines

_KINDS = ("float32", "bfloat16", "float16")


@click.command(short_help="Measure adapters made elsewhere, or a base.")
@click.argument("base")
@click.argument("adapters", nargs=-1)
@click.option("--on", multiple=True, help="JSONL files ('data/{language}.jsonl'), a spec, or lm-eval:TASK; repeatable.")
@click.option(
    "--trained-on",
    multiple=True,
    metavar="[ADAPTER=]TASK/LANGUAGE",
    help="What an adapter (or all) was trained on, such as sib200/en; repeatable.  [default: what its folder says]",
)
@click.option("--items", type=click.IntRange(min=1), help="At most N items per target.  [default: all]")
@click.option("--shots", type=click.IntRange(min=0), default=0, help="Solved examples before every item.")
@click.option("--chat", is_flag=True, help="Put prompts through the chat template of BASE.")
@click.option("--tokenizer", default="", metavar="FOLDER", help="Another tokenizer than that of BASE.")
@click.option(
    "--dtype",
    type=click.Choice(_KINDS),
    help="[default: float32, as in specs; bfloat16 takes half the memory, and adds noise]",
)
@click.option("--name", default="", help="What to call the study in the store.")
@OUT
@DEVICE
@THREADS
@click.option("--doctor", is_flag=True, help="Only look whether the numbers of BASE can be trusted.")
@AS_JSON
def check(
    base: str,
    adapters: tuple[str, ...],
    on: tuple[str, ...],
    trained_on: tuple[str, ...],
    items: int | None,
    shots: int,
    chat: bool,
    tokenizer: str,
    dtype: str | None,
    name: str,
    out: Path,
    device: str,
    threads: int | None,
    doctor: bool,
    as_json: bool,
) -> None:
    """What did fine-tuning BASE do to everything else?

    BASE is a model folder, a GGUF file, almanac:NAME, or owner/name@commit. ADAPTERS are PEFT folders, merged models or
    checkpoints made from it, by whatever tool. Nothing is trained: base and adapters are measured on every
    target, and the report says what got better, what got worse, and how sure that is. Without ADAPTERS, the
    scores of BASE are printed with their intervals and what guessing would score. The results are those of an
    ordinary study, whose spec is written beside them: add sources to it, and run it.
    """
    settings = settings_of((), "inline", device, threads, None, False)
    from crossgraft.adapters.check.run import Asked, base_model, compose, doubts, guess_lines, in_memory
    from crossgraft.spec import parse_study

    asked = Asked(base, adapters, on, items or 0, shots, chat, tokenizer, dtype or "", name, trained_on)
    composed = compose(asked).apart_from(out, named=bool(name)) if on or not doctor else None
    text = composed.text if composed else ""
    study: Any = parse_study(text, folder=Path.cwd(), name="check") if text else None
    for line in (*in_memory(study), *guess_lines(composed.guesses, study), *doubts(study)) if composed else ():
        echo(line, err=as_json)
    if doctor:
        _doctor(study.models["base"] if study else base_model(asked), device, study, as_json=as_json)
        return
    summary = carry_out(study, out, settings, as_json=as_json)
    spec = out / f"{study.name}.toml"
    spec.write_text(text, "utf-8")
    if not as_json:
        print_summary(summary, f"{spec}", out)
    if adapters:
        report_of(study.name, out, None).show(as_json=as_json, cells=True)
    else:
        print_base_scores(study.name, out, as_json=as_json)
    if summary.failed:
        raise click.exceptions.Exit(1)


def _doctor(model: Any, device: str, study: Any, *, as_json: bool) -> None:
    from crossgraft.adapters.check.doctor import examine

    checks = list(examine(model, device, study))
    if as_json:
        echo(json.dumps([{"check": one.name, "fine": one.fine, "saw": one.saw} for one in checks], indent=1))
    else:
        print_lines((one.name, f"{'fine' if one.fine else 'LOOK'}  {one.saw}") for one in checks)
    if not all(one.fine for one in checks):
        raise click.exceptions.Exit(1)
