"""Commands decide, mutators assign: a rule in a mutator would judge history again."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import domain

ASSIGNS = {"frozenset", "len", "replace", "sum"}
"""Functions that a mutator may call, apart from constructors of values."""

OF_VALUES = {"items", "update", "values"}
"""Methods of the collections that an aggregate contains."""

READS_RELEASE_1 = {"known_after_end", "known_after_report"}
"""They complete events of release 1 by numbers that never change."""

APPLIES_A_PART = {"_count", "_give_up", "_keep", "_moved", "as_now"}
"""Parts of mutators in methods of their own; the same rule applies to them."""


def methods() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield each mutator, and each part of mutators, of all aggregates."""
    for file in sorted(Path(domain.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and (
                node.name in APPLIES_A_PART or is_mutator(node)
            ):
                yield f"{file.stem}.{node.name}", node


def is_mutator(node: ast.FunctionDef) -> bool:
    names = [
        one.func.id
        for one in node.decorator_list
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
    ]
    return "event" in names


METHODS = dict(methods())


def test_the_mutators_of_all_aggregates_are_found() -> None:
    assert {"call._ended", "campaign._paused", "contact._finished"} <= METHODS.keys()
    found = {name.partition(".")[2] for name in METHODS}
    assert found >= APPLIES_A_PART


@pytest.mark.parametrize("name", METHODS)
def test_a_mutator_only_assigns(name: str) -> None:
    for node in ast.walk(METHODS[name]):
        assert not isinstance(node, ast.Raise | ast.Assert | ast.Try), name
        if isinstance(node, ast.Call) and not is_decorator(node, METHODS[name]):
            assert may_be_called(node.func), f"{name} calls {ast.unparse(node.func)}"


def is_decorator(node: ast.Call, method: ast.FunctionDef) -> bool:
    return node in method.decorator_list


def may_be_called(function: ast.expr) -> bool:
    match function:
        case ast.Name(id=name):
            return name in ASSIGNS or name[0].isupper()
        case ast.Attribute(value=ast.Name(id="release_1"), attr=name):
            return name in READS_RELEASE_1
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name in APPLIES_A_PART
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="self")), attr=name):
            return name in OF_VALUES
    return False
