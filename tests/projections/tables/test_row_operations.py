from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from projections.tables.row_operations import (
    Kind,
    RowOperation,
    Write,
    add,
    drop,
    fold,
    patch,
    patch_all,
    put,
    row_of,
    writes,
)
from tests.projections.memory import Memory

KEYS = st.integers(1, 2)
NUMBERS = st.dictionaries(st.sampled_from("abc"), st.integers(-9, 9), min_size=1)

OPERATIONS = st.one_of(
    st.builds(lambda key, columns: put("one", key, **columns), KEYS, NUMBERS),
    st.builds(lambda key: put("one", key), KEYS),
    st.builds(lambda key, columns: patch("one", key, **columns), KEYS, NUMBERS),
    st.builds(lambda key, deltas: add("one", key, **deltas), KEYS, NUMBERS),
    st.builds(lambda key: drop("one", key), KEYS),
    st.builds(
        lambda key, columns: put("two", key, **columns), st.tuples(KEYS, KEYS), NUMBERS
    ),
    st.builds(lambda key, columns: patch_all("two", key, **columns), KEYS, NUMBERS),
)


def operations_of(write: Write) -> list[RowOperation]:
    return [
        RowOperation(
            write.kind, write.table, key, dict(zip(write.names, values, strict=True))
        )
        for key, values in zip(write.keys, write.values, strict=True)
    ]


@given(before=st.lists(OPERATIONS), batch=st.lists(OPERATIONS))
def test_a_folded_batch_has_the_same_result_as_its_single_operations(
    before: list[RowOperation], batch: list[RowOperation]
) -> None:
    alone, folded = Memory(), Memory()
    alone.apply([*before, *batch])
    folded.apply(before)
    folded.apply(chain.from_iterable(map(operations_of, writes(fold(batch)))))
    for table in ("one", "two"):
        assert folded.tables[table] == alone.tables[table]


@given(batch=st.lists(OPERATIONS))
def test_no_statement_writes_a_row_twice(batch: list[RowOperation]) -> None:
    for write in writes(fold(batch)):
        assert len(set(write.keys)) == len(write.keys)


def test_operations_after_a_put_are_merged_into_it() -> None:
    batch = [put("t", 1, a=1, b=1), patch("t", 1, a=2), add("t", 1, b=5, c=1)]
    assert list(writes(fold(batch))) == [
        Write(Kind.PUT, "t", ("a", "b"), [(1,)], [(2, 6)]),
        Write(Kind.ADD, "t", ("c",), [(1,)], [(1,)]),
    ]


def test_rows_with_the_same_columns_share_a_statement() -> None:
    batch = [add("t", 1, n=1), add("t", 2, n=1), add("t", 1, n=1)]
    assert list(writes(fold(batch))) == [
        Write(Kind.ADD, "t", ("n",), [(1,), (2,)], [(2,), (1,)])
    ]


def test_patch_all_does_not_change_a_row_that_is_put_later() -> None:
    batch = [patch_all("t", 1, a=1), put("t", (1, 2), b=1)]
    assert [write.kind for write in writes(fold(batch))] == [Kind.PATCH_ALL, Kind.PUT]


def test_row_of_applies_the_operations_of_one_row_only() -> None:
    operations = [
        patch("board", 1, state="LOST"),
        put("board", 1, state="NEW"),
        put("board", 2, state="OTHER"),
        add("board", 1, pending=2),
        patch("board", 1, state="OLD"),
        add("board", 1, pending=-1),
        put("log", 1, state="LOG"),
    ]
    assert row_of(operations, "board", (1,)) == {"state": "OLD", "pending": 1}
    assert row_of(operations, "board", (3,)) is None
    assert row_of([*operations, drop("board", 1)], "board", (1,)) is None
