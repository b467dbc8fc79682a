"""``[grid]``: which points are trained on and evaluated on, how many items of them, and how they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crossgraft.adapters.remedies.merges import check_scales
from crossgraft.errors import SpecError

PROMPT = "{prompt}"  # the prompt as it is


@dataclass(frozen=True)
class View:
    """How test items are shown: the prompt put into a template, after so many solved examples."""

    template: str = PROMPT
    shots: int = 0


@dataclass(frozen=True)
class Grid:
    """``[grid]``: which points are trained on and evaluated on, and how many items of them.

    Patterns are task/language with ``*``. ``base_repeats`` measures the base again (its own noise);
    ``base_variants`` are harmless changes of the prompt, such as ``"{prompt} "``. ``shots`` solved examples of
    the train split stand before every test item, the same for all of them in all languages; ``base_shots``
    measure the base with so many beside it, to see what an adapter does that examples would do too. ``sham``
    and ``format_only`` train every source, or those that match ``sham_of``, in these versions too. ``scales`` evaluate every trained adapter scaled by these
    factors too, of the sources that match ``scaled``; nothing is trained for it.
    """

    sources: tuple[str, ...] = ()
    targets: tuple[str, ...] = ("*",)
    train_items: int = 0  # 0: all
    test_items: int = 0  # 0: all
    base_repeats: int = 1
    base_variants: tuple[str, ...] = ()
    shots: int = 0
    shots_seed: int = 0
    shots_between: str = "\n\n"
    base_shots: tuple[int, ...] = ()
    sham: bool = False
    format_only: bool = False
    sham_of: tuple[str, ...] = ("*",)
    scales: tuple[float, ...] = ()
    scaled: tuple[str, ...] = ("*",)
    keep_adapters: Literal["always", "never"] = "always"

    def __post_init__(self) -> None:
        for name in ("train_items", "test_items", "shots"):
            if getattr(self, name) < 0:
                raise SpecError(f"expected a number of items, 0 for all; got {getattr(self, name)}", (name,))
        if any(shots < 1 for shots in self.base_shots) or self.shots in self.base_shots:
            raise SpecError(
                f"expected numbers of examples from 1 on, other than shots; got {list(self.base_shots)}",
                ("base_shots",),
            )
        check_scales(self.scales)
        if self.base_repeats < 1:
            raise SpecError(f"expected at least 1; got {self.base_repeats}", ("base_repeats",))
        for variant in self.base_variants:
            if "{prompt}" not in variant:
                raise SpecError(f"expected a template with {{prompt}}; got {variant!r}", ("base_variants",))
