from __future__ import annotations

import pytest

from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.errors import SpecError


def test_axes_give_every_combination_and_name_what_differs() -> None:
    recipe = Recipe(rank=4, axes={"rank": (8, 32), "learning_rate": (1e-4, 2e-4, 1)})

    variants = recipe.variants()

    assert len(variants) == 6
    axes, first = variants[0]
    assert axes == (("rank", 8), ("learning_rate", 1e-4))
    assert (first.rank, first.learning_rate, first.axes) == (8, 1e-4, {})


def test_a_recipe_without_axes_is_its_only_variant() -> None:
    assert Recipe().variants() == (((), Recipe()),)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"rank": 0}, ("rank",)),
        ({"learning_rate": 0.0}, ("learning_rate",)),
        ({"dropout": 1.0}, ("dropout",)),
        ({"axes": {"rnak": (1,)}}, ("axes", "rnak")),
        ({"axes": {"rank": ("eight",)}}, ("axes", "rank", "0")),
        ({"axes": {"rank": ()}}, ("axes", "rank")),
        ({"axes": {"axes": (1,)}}, ("axes", "axes")),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_key(arguments: dict[str, object], key: tuple[str, ...]) -> None:
    with pytest.raises(SpecError) as caught:
        Recipe(**arguments)  # type: ignore[arg-type]

    assert caught.value.key == key
