"""A table that grows without limit answers as a dict does, however it was folded and stored."""

from hypothesis import given
from hypothesis import strategies as st

from promoter.ledger.table import Memory, Open, PersistentTable, empty

KEYS = st.sampled_from([f"{a}{b}" for a in "ab" for b in "xyz"])
STEPS = st.lists(st.lists(st.tuples(KEYS, st.one_of(st.none(), st.integers(1, 9))), max_size=6), max_size=8)


@given(STEPS, st.booleans())
def test_it_is_a_dict_whose_latest_row_is_the_last(steps, laid_down):
    table: PersistentTable[int] = empty()
    model: dict[str, int] = {}
    for step in steps:
        opened = Open(table)
        for key, value in step:
            model.pop(key, None)
            if value is None:
                opened.remove(key)
            else:
                opened.put(key, value)
                model[key] = value
            assert opened.get(key) == value
        before, items = table, table.items()
        table = opened.frozen()
        assert before.items() == items
        if laid_down:
            table = PersistentTable(Memory(dict(table.items())))
        assert table.items() == list(model.items())
        assert list(table) == list(model)
        assert table.values() == list(model.values())
        assert list(table.backwards()) == list(reversed(model.items()))
        assert sorted(table.starting_with("a")) == sorted(row for row in model.items() if row[0].startswith("a"))
        assert bool(table) == bool(model)
        assert [key in table for key in ("ax", "bz")] == [key in model for key in ("ax", "bz")]
        assert table == PersistentTable(Memory(model))


def test_what_was_frozen_stays_when_it_is_followed_on():
    opened: Open[int] = Open(empty())
    opened.put("a", 1)
    first = opened.frozen()
    more = Open(first)
    more.put("a", 2)
    more.remove("b")
    second = more.frozen()
    opened_again = Open(first)
    opened_again.remove("a")
    assert (first.items(), second.items(), opened_again.frozen().items()) == ([("a", 1)], [("a", 2)], [])


def test_much_is_laid_down_so_that_little_is_copied():
    table: PersistentTable[int] = empty()
    copied = 0
    for number in range(20_000):
        copied += len(table.changes)
        opened = Open(table)
        opened.put(f"{number:05}", number)
        table = opened.frozen()
    assert len(table.items()) == 20_000
    assert copied < 20_000 * 300
