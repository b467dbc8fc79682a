"""Imports point down: a module imports only from its own layer or from those below."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import crossgraft

ROOT = Path(crossgraft.__file__).parent

LAYERS = [  # "__main__" and the lazy public face stand above all of them
    {"errors"},
    {"safety", "identity", "registry", "core", "study"},
    {"spec", "metrics", "stats"},
    {"transfer", "runs"},
    {"analysis", "testing"},
    {"recommendation"},
    {"adapters", "embeddings", "report"},
    {"cli"},
]
SIBLINGS = {"adapters", "embeddings", "report"}  # never import one another
HEAVY = {"torch", "transformers", "peft", "datasets", "lm_eval", "matplotlib"}
MAY_BE_HEAVY = {
    "adapters/worker.py",
    *(f"adapters/bases/{name}.py" for name in ("base", "loading")),
    *(f"adapters/weights/{name}.py" for name in ("combination", "lora", "placement", "quantisation", "snapshot")),
    "adapters/check/doctor.py",
    "adapters/bases/gguf/conversion.py",
    *(f"adapters/training/{name}.py" for name in ("attention", "examples", "loop", "loss", "run")),
    *(f"adapters/engine/{name}.py" for name in ("body", "generation", "likelihoods", "local", "paths")),
    *(f"adapters/engine/{name}.py" for name in ("rows", "scorer", "selftest")),
    *(
        f"adapters/tasks/harness/{name}.py" for name in ("__init__", "data", "definition", "items", "sandbox")
    ),  # inside functions only
    "adapters/tasks/lm_eval.py",  # inside functions only
    "embeddings/spaces/devices.py",  # inside functions only, and only where there is a GPU
    "embeddings/retrieval/device.py",  # the same
    "embeddings/mapping/steps/gradients.py",  # inside a function only
    "embeddings/downstream/classifiers/training.py",  # inside a function only: whether it is there
    *(
        f"embeddings/downstream/classifiers/networks/{name}.py"
        for name in ("convolutional", "decomposable", "esim", "loop")
    ),  # loaded when fitted
    *(f"embeddings/mapping/steps/{name}.py" for name in ("adversarial", "contrastive")),  # the name of a type only
    *(f"report/figures/{name}.py" for name in ("dots", "fonts", "harm", "matrix", "style", "write")),  # matplotlib
}
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
MODULES = sorted(file.relative_to(ROOT).as_posix() for file in ROOT.rglob("*.py"))


def imports(module: str, *, top_level_only: bool = False) -> Iterator[str]:
    """Full names of what a module imports at run time; those for type checkers only are left out."""
    tree = ast.parse((ROOT / module).read_text("utf-8"))
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        if top_level_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        pending.extend(ast.iter_child_nodes(node))


def part(name: str) -> str:
    return name.split(".")[1]


@pytest.mark.parametrize("module", [m for m in MODULES if m not in ("__init__.py", "__main__.py")])
def test_imports_point_down(module: str) -> None:
    own = module.split("/")[0].removesuffix(".py")

    for name in imports(module):
        if name.startswith("crossgraft."):
            other = part(name)
            assert LEVEL[other] <= LEVEL[own], f"{module} imports {name}, which is above it"
            assert other == own or not {own, other} <= SIBLINGS, f"{module} imports its sibling {name}"


@pytest.mark.parametrize("module", MODULES)
def test_only_named_files_import_the_gpu_stack(module: str) -> None:
    heavy = {name for name in imports(module) if name.split(".")[0] in HEAVY}

    assert not heavy or module in MAY_BE_HEAVY


@pytest.mark.parametrize("module", [m for m in MODULES if m.endswith("lm_eval.py") or "/harness/" in m])
def test_the_harness_is_imported_on_use(module: str) -> None:
    assert not {name for name in imports(module, top_level_only=True) if name.split(".")[0] in HEAVY}


def test_there_is_no_import_cycle() -> None:
    """Nor one through imports inside functions, or for type checkers only."""
    names = {"crossgraft." + m.removesuffix(".py").removesuffix("/__init__").replace("/", "."): m for m in MODULES}
    graph = {name: {one for one in every_import(module) if one in names} - {name} for name, module in names.items()}

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        for step in graph[start]:
            if step == goal or (step not in seen and reaches(step, goal, seen | {step})):
                return True
            seen.add(step)
        return False

    del graph["crossgraft.__init__"]  # the lazy public face
    for others in graph.values():
        others.discard("crossgraft.__init__")
    assert [name for name in graph if reaches(name, name, set())] == []


def every_import(module: str) -> Iterator[str]:
    """Full names of the modules that a module imports anywhere."""
    for node in ast.walk(ast.parse((ROOT / module).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            own = [f"{node.module}.{alias.name}" for alias in node.names]
            files = [one for one in own if one.startswith("crossgraft.") and _is_module(one)]
            yield from files or [node.module]


def _is_module(name: str) -> bool:
    place = ROOT.joinpath(*name.split(".")[1:])
    return place.with_suffix(".py").is_file() or place.is_dir()


SCRIPTS = sorted(
    file.relative_to(ROOT.parents[1]).as_posix()
    for folder in ("benchmarks", "examples", "tools")
    for file in (ROOT.parents[1] / folder).rglob("*.py")
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_import_what_exists(script: str) -> None:
    """Most of them run only when somebody asks for their figures."""
    tree = ast.parse((ROOT.parents[1] / script).read_text("utf-8"))
    found = [
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("crossgraft.")
        for alias in node.names
    ]

    assert [(module, name) for module, name in found if not _holds(str(module), name)] == []


def _holds(module: str, name: str) -> bool:
    """Whether a module defines or imports the name, or is a package with a module of that name."""
    if not _is_module(module):
        return False
    place = ROOT.joinpath(*module.split(".")[1:])
    file = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"
    nodes = [
        node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if not isinstance(node, ast.Load | ast.Store)
    ]
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    imported = {
        alias.asname or alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    return name in defined | assigned | imported or _is_module(f"{module}.{name}")
