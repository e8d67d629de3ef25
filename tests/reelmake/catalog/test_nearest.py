"""The rows that lie nearest to a vector, of few exactly and of many by their signs first."""

import numpy as np
import pytest

from make_vectors import unit
from reelmake.catalog import nearest, vector_files
from reelmake.catalog.vector_files import ROW, Rows

COUNT = 5_000


@pytest.fixture(scope="module")
def table() -> Rows:
    vectors = unit(3, COUNT, 100)
    rows = np.zeros(COUNT, ROW)
    rows["kind"] = np.arange(COUNT) % 3
    return Rows(vectors, vector_files.packed(vectors), rows)


def query(table: Rows, row: int) -> np.ndarray:
    """A vector near to that of a row."""
    vector = table.vectors[row].astype(np.float32) + 0.03 * unit(4, 1, 100)[0]
    return vector / np.linalg.norm(vector)


def exact(table: Rows, vector: np.ndarray, rows: list[int], most: int) -> list[int]:
    return sorted(rows, key=lambda row: -float(table.vectors[row].astype(np.float32) @ vector))[
        :most
    ]


@pytest.mark.parametrize("few", [COUNT, 10])
def test_the_nearest_come_first(table, monkeypatch, few):
    monkeypatch.setattr(nearest, "EXACT", few)
    vector = query(table, 1234)
    found = nearest.nearest(table, vector, 5, [(0, COUNT)])
    assert found.rows[0] == 1234 and len(found.rows) == 5
    assert found.rows.tolist() == exact(table, vector, range(COUNT), 5)
    assert found.cosines.tolist() == sorted(found.cosines.tolist(), reverse=True)
    assert found.cosines[0] == pytest.approx(float(table.vectors[1234] @ vector), abs=1e-3)


@pytest.mark.parametrize("few", [COUNT, 10])
def test_only_some_rows_are_looked_at(table, monkeypatch, few):
    monkeypatch.setattr(nearest, "EXACT", few)
    vector, ranges = query(table, 1234), [(10, 400), (1240, 1300), (4000, COUNT)]
    rows = [row for start, end in ranges for row in range(start, end) if row % 3 in (0, 2)]
    found = nearest.nearest(table, vector, 20, ranges, [0, 2])
    assert found.rows.tolist() == exact(table, vector, rows, 20)


@pytest.mark.parametrize("few", [COUNT, 10])
def test_fewer_than_are_wanted_are_all(table, monkeypatch, few):
    monkeypatch.setattr(nearest, "EXACT", few)
    vector = query(table, 5)
    assert sorted(nearest.nearest(table, vector, 50, [(0, 30)]).rows.tolist()) == list(range(30))
    assert nearest.nearest(table, vector, 50, []).rows.tolist() == []
    assert nearest.nearest(table, vector, 50, [(0, 30)], []).rows.tolist() == []
