"""Private names of the libraries below us: each listed here with its reason, and none beside.

A name is private where it begins with an underscore, or where a method of a library's object is
replaced. An upgrade may take it away without a word.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import timetracking_assets

LIBRARIES = ("dagster", "dagster_dlt", "dlt", "duckdb", "pyarrow", "requests", "urllib3", "pygal")

ALLOWED: dict[tuple[str, str], str] = {
    ("orchestration/sqlite_event_log.py", "dagster._core.storage.event_log"): (
        "the name by which Dagster documents its storage of events for `dagster.yaml`; what we "
        "override of it is compared with it in test_sqlite_event_log.py"
    ),
}
"""(file, name) -> why no public name serves."""

PUBLIC = {
    "_exit",  # os: documented
    "_replace",  # named tuples: documented
}
"""Names that begin with an underscore, but that their documentation offers."""

HOOKS = {"__deepcopy__", "__copy__", "__is_resolved__", "__reduce__"}
"""What a library looks for in objects that it is given: to define one is to know how it works."""


def private_names(tree: ast.AST) -> Iterator[str]:
    """The private names that a module uses of others: imported, read from, or put into an object.

    `self._x`, `cls._x`, and what the module itself defines are its own.
    """
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    own = (
        functions
        | {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        | {
            target.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            for target in (target.elts if isinstance(target, ast.Tuple) else [target])
            if isinstance(target, ast.Attribute) and _is_own(target.value)
        }
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in HOOKS:
            yield f"def {node.name}"
        elif isinstance(node, ast.Attribute) and node.attr in HOOKS:
            yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(LIBRARIES):
            yield from (f"{node.module}.{n.name}" for n in node.names if _private(n.name))
            if any(_private(part) for part in (node.module or "").split(".")):
                yield node.module or ""
        elif isinstance(node, ast.Attribute) and _private(node.attr):
            if not _is_own(node.value) and node.attr not in own:
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and _replaces_private(node):
            yield ast.unparse(node)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                # a method of another's object, replaced
                if (
                    isinstance(target, ast.Attribute)
                    and not _is_own(target.value)
                    and isinstance(node.value, ast.Lambda | ast.Name)
                    and (isinstance(node.value, ast.Lambda) or node.value.id in functions)
                ):
                    yield f"{ast.unparse(target)} ="


def _is_own(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in ("self", "cls")


def _replaces_private(call: ast.Call) -> bool:
    """Whether it is `getattr(x, "_y")` or `setattr(x, "_y", ...)`."""
    named = isinstance(call.func, ast.Name) and call.func.id in ("getattr", "setattr")
    return named and any(
        isinstance(arg, ast.Constant) and isinstance(arg.value, str) and _private(arg.value)
        for arg in call.args[1:2]
    )


def _private(name: str) -> bool:
    special = name.startswith("__") and name.endswith("__")
    return name.startswith("_") and not special and name not in PUBLIC


def used() -> dict[tuple[str, str], int]:
    """Private names in the package, by file, with how often each is used."""
    root = Path(timetracking_assets.__file__).parent
    return Counter(
        (str(path.relative_to(root)), name)
        for path in sorted(root.rglob("*.py"))
        for name in private_names(ast.parse(path.read_text()))
    )


def test_each_private_name_has_a_reason() -> None:
    assert set(used()) == set(ALLOWED)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("from dagster._core.x import Y", "dagster._core.x"),
        ("from requests.sessions import _z", "requests.sessions._z"),
        ("print(pipeline._schema)", "pipeline._schema"),
        ("getattr(pipeline, '_schema')", "getattr(pipeline, '_schema')"),
        ("session.send = lambda *_: 1", "session.send ="),
        ("def mine(): ...\nsession.send = mine", "session.send ="),
        ("class A:\n def __deepcopy__(self, memo): ...", "def __deepcopy__"),
        ("class A:\n def f(self): self.__is_resolved__ = True", "self.__is_resolved__"),
    ],
)
def test_a_private_name_is_noticed(code: str, name: str) -> None:
    assert list(private_names(ast.parse(code))) == [name]


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n def f(self): self._x = 1; return other._x",
        "from dlt.extract import DltResource",
        "x = row._replace(a=1)",
    ],
)
def test_what_is_ones_own_or_public_is_not_counted(code: str) -> None:
    assert list(private_names(ast.parse(code))) == []
