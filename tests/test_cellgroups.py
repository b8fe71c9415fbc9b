"""Groups of a sweep's cells: the short names of links find the same cells again."""

import pytest
from made_up_sweep import FIELDS, made_up_sweep

from lazycore.errors import ConfigError
from lazycore.results.cellgroups import cell_groups, cells_at, parsed, token
from lazycore.results.sweep import STATUSES


def test_a_group_is_the_cells_that_differ_in_seeds_only():
    table = made_up_sweep()
    groups = cell_groups(table)
    assert len(groups) == 8 and {len(group.digests) for group in groups} == {3}
    assert groups[0].label == "α 0.1, width 16, N = 3"
    assert (groups[0].verdicts, groups[-1].verdicts) == ("3 rich", "3 lazy")


def test_the_name_of_a_group_finds_its_cells_again():
    table = made_up_sweep()
    for group in cell_groups(table):
        digest, parts = parsed(group.token)
        assert digest == table.digest
        assert tuple(cell.digest for cell in cells_at(table.config, parts)) == group.digests


def test_a_name_may_say_less_and_then_means_more():
    table = made_up_sweep()
    _, parts = parsed(token(table.digest, {"width": 64}))
    assert [cell.values["width"] for cell in cells_at(table.config, parts)] == [64] * 12
    assert len(cells_at(table.config, parsed(table.digest)[1])) == 24


def test_values_are_found_by_all_their_digits():
    table = made_up_sweep(FIELDS | {"alpha": "0.1:100:5"})
    for group in cell_groups(table):
        assert len(cells_at(table.config, parsed(group.token)[1])) == 3


def test_what_did_not_end_is_counted_as_what_it_is():
    table = made_up_sweep(FIELDS | {"width": "16"})
    table._status[:3] = [STATUSES.index(s) for s in ("missing", "failed", "diverged")]
    table._status[3:6] = STATUSES.index("missing")
    first, second, *_ = cell_groups(table)
    assert (first.verdicts, second.verdicts) == ("1 failed, 1 diverged", "")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("../etc", "names no run"),
        ("0" * 16 + ":width", "write name=value"),
        ("0" * 16 + ":=5", "write name=value"),
    ],
)
def test_a_name_that_is_none_is_refused_in_a_sentence(text, sentence):
    with pytest.raises(ConfigError, match=sentence):
        parsed(text)


def test_cells_that_are_not_there_are_refused_in_a_sentence():
    with pytest.raises(ConfigError, match="has width=17: its axes are alpha, width, seed"):
        cells_at(made_up_sweep().config, ["width=17"])
