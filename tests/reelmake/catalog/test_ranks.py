"""Reciprocal rank fusion."""

import pytest

from reelmake.catalog import ranks


def test_what_is_far_up_in_both_lists_comes_first():
    found = ranks.fused([["a", "b", "c"], ["b", "d"]])
    assert list(found) == ["b", "a", "d", "c"]
    assert found["b"] == pytest.approx(1 / 62 + 1 / 61)


def test_one_list_stays_as_it_is():
    assert list(ranks.fused([["c", "a", "b"], []])) == ["c", "a", "b"]
