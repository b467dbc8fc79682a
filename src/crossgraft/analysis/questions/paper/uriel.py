"""Distances of languages as in the paper: the cosine of URIEL's vectors (Littell et al., 2017), from the package lang2vec.

An optional look: the vectors are share-alike data and take seconds to load, so that they come with an extra.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from crossgraft.core import Floats
from crossgraft.errors import MissingExtra

SETS: Mapping[str, str] = {"syntax_knn": "syntax", "phonology_knn": "phonology", "inventory_knn": "sounds"}
EXTRA = "lang2vec"


def installed() -> bool:
    return find_spec("lang2vec") is not None


def vectors(languages: Iterable[str], feature_set: str) -> dict[str, Floats]:
    """By BCP 47 tag, of the languages that URIEL has; it knows nothing of scripts and regions."""
    uriel = _library()
    found = {language: _vector(uriel, language.split("-")[0], feature_set) for language in languages}
    return {language: vector for language, vector in found.items() if vector is not None}


def _vector(uriel: Any, code: str, feature_set: str) -> Floats | None:
    try:
        values = uriel.get_features([code], feature_set)[code]
    except Exception:  # what it raises of a language that it does not have; its own list lacks some that it has
        return None
    vector = np.array([np.nan if value == "--" else value for value in values], dtype=np.float64)
    return None if np.isnan(vector).any() or not vector.any() else vector


def cosine_distance(one: Floats, other: Floats) -> float:
    """
    >>> cosine_distance(np.array([1.0, 0.0]), np.array([1.0, 0.0])), cosine_distance(np.array([1.0, 0.0]), np.array([0.0, 2.0]))
    (0.0, 1.0)
    """
    return 1 - float(one @ other) / float(np.linalg.norm(one) * np.linalg.norm(other))


def _library() -> Any:
    if not installed():
        raise MissingExtra("distances of URIEL", EXTRA)
    try:
        return import_module("lang2vec.lang2vec")
    except ImportError as error:  # it reads its data by pkg_resources, which newer setuptools lack
        raise MissingExtra("lang2vec, with a setuptools that has pkg_resources,", EXTRA) from error
