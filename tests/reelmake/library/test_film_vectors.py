"""The file of a film's vectors."""

import msgpack
import numpy as np
import pytest

from reelmake.library import film_vectors
from reelmake.library.film_vectors import Vectors


def some(count: int = 3, dims: int = 8, kind: str = "said") -> Vectors:
    vectors = np.random.default_rng(0).normal(size=(count, dims))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    numbers = list(range(count))
    ends = [n + 0.5 for n in numbers]
    return Vectors(kind, "a/model", numbers, numbers, ends, unit.astype(np.float16))


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / film_vectors.NAME
    written = [some(), some(0, 4, "shown")]
    written[1] = written[1]._replace(model={"name": "clip", "content": "0" * 64})
    film_vectors.write(path, written)
    found = film_vectors.read(path)
    for one, other in zip(found, written, strict=True):
        assert one[:5] == other[:5]
        np.testing.assert_array_equal(one.matrix, other.matrix)
    stored = msgpack.unpackb(path.read_bytes())["vectors"][0]
    assert np.frombuffer(stored["vectors"], "<f2").reshape(3, 8).shape == written[0].matrix.shape
    film_vectors.write(path, [])
    assert film_vectors.read(path) == []


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "heard"},
        {"model": None},
        {"model": {"name": "a"}},
        {"items": [1, 2]},
        {"items": [1, 2, "3"]},
        {"items": [1, 2, 2**31]},
        {"ends": [0, 0, 0]},
        {"starts": [0, 0, float("nan")]},
        {"matrix": np.zeros((3, 8), np.float16)},
        {"matrix": np.full((3, 8), np.nan, np.float16)},
        {"matrix": np.zeros((3, 0), np.float16)},
    ],
)
def test_what_is_not_its_form_is_not_published(tmp_path, change):
    path = tmp_path / film_vectors.NAME
    with pytest.raises(ValueError):
        film_vectors.write(path, [some()._replace(**change)])
    assert not path.exists()


def test_what_is_damaged_is_absent(tmp_path):
    path = tmp_path / film_vectors.NAME
    assert film_vectors.read(path) is None
    film_vectors.write(path, [some()])
    whole = path.read_bytes()
    for damaged in (
        b"",
        whole[:-1],
        whole[:40],
        b"\xc1",
        b"\x91\x01",
        whole.replace(b"dims", b"dim_"),
    ):
        path.write_bytes(damaged)
        assert film_vectors.read(path) is None
    path.write_bytes(whole.replace(b"\xa6format\x01", b"\xa6format\x02"))
    assert film_vectors.read(path) is None
