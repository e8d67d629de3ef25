"""The vectors of all films: only what changed is written, and a kill loses nothing."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from make_vectors import MODEL, make_vectors
from reelmake.catalog import vector_files, vector_index
from reelmake.foundation import artifact_files
from reelmake.library import film_vectors

TEXT = vector_files.key("text", MODEL)
FILMS = ("a", "b", "c")


@pytest.fixture
def results(tmp_path):
    for seed, video in enumerate(FILMS):
        (tmp_path / video).mkdir()
        make_vectors(tmp_path / video, seed)
    return tmp_path


def content(results):
    """Of each film, kind and item: its vector, and the bits of that."""
    index = vector_files.read(results)
    assert index is not None
    found = {}
    for name, table in index.tables.items():
        rows = vector_files.opened(results, name, table)
        for video, film in index.films.items():
            start, count = film.ranges.get(name, (0, 0))
            for row in range(start, start + count):
                kind, item, begin, end = rows.rows[row].tolist()
                assert (
                    rows.bits[row].tolist() == vector_files.packed(rows.vectors[[row]])[0].tolist()
                )
                found[name, video, kind, item, begin, end] = rows.vectors[row].tobytes()
    return found


def wanted(results):
    """The same by what is in the films' own files."""
    found = {}
    for video in FILMS:
        for each in film_vectors.read(results / video / film_vectors.NAME) or []:
            name = vector_files.key(vector_files.SPACES[each.kind], each.model)
            kind = film_vectors.KINDS.index(each.kind)
            for item, start, end, vector in zip(
                each.items, each.starts, each.ends, each.matrix, strict=True
            ):
                found[name, video, kind, item, start, end] = vector.tobytes()
    return found


def test_all_films_are_read_once(results):
    assert not vector_index.is_current(results, FILMS)
    assert vector_files.update(results, FILMS) == 3
    assert content(results) == wanted(results)
    assert vector_index.is_current(results, FILMS)
    assert vector_files.update(results, FILMS) == 0


def test_only_what_changed_is_written(results):
    vector_files.update(results, FILMS)
    (vectors,) = results.glob(f"{vector_index.NAME}.*.f16")
    before = vectors.read_bytes()
    make_vectors(results / "b", 7, {"said": 4, "shown": 2})
    shutil.rmtree(results / "c")
    assert not vector_index.is_current(results, FILMS)
    assert vector_files.update(results, FILMS) == 1
    assert content(results) == wanted(results)
    assert vectors.read_bytes().startswith(before)


def test_a_film_without_vectors_or_with_damaged_ones_has_none(results):
    (results / "a" / film_vectors.NAME).unlink()
    (results / "b" / film_vectors.NAME).write_bytes(b"damaged")
    assert vector_files.update(results, FILMS) == 2
    assert {video for _, video, *_ in content(results)} == {"c"}
    assert vector_index.is_current(results, FILMS)


def test_where_there_are_none_nothing_is_written(tmp_path):
    assert vector_files.update(tmp_path, FILMS) == 0
    assert vector_index.is_current(tmp_path, FILMS)
    assert list(tmp_path.iterdir()) == []


class Killed(BaseException):
    pass


@pytest.mark.parametrize("writes", [0, 1])
def test_a_kill_leaves_an_older_or_a_newer_state(results, monkeypatch, writes):
    """Before the index is written, and between its two writes."""
    vector_files.update(results, FILMS)
    monkeypatch.setattr(vector_files, "SPARE", 0)
    older = wanted(results)
    make_vectors(results / "a", 8, {"said": 9})
    shutil.rmtree(results / "b")
    newer = wanted(results)
    write, left = artifact_files.write_bytes, [writes]

    def dying(path, *rest):
        if not left[0]:
            raise Killed
        left[0] -= 1
        write(path, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(artifact_files, "write_bytes", dying)
        with pytest.raises(Killed):
            vector_files.update(results, FILMS)
    assert content(results) == (newer if writes else older)
    make_vectors(results / "a", 9, {"said": 8})  # not what the killed process has written
    vector_files.update(results, FILMS)
    assert content(results) == wanted(results)
    index = vector_files.read(results)
    kept = {path.name for path in results.glob(f"{vector_index.NAME}.*")}
    assert len(kept) == 3 * len(index.tables)


def test_rows_of_nobody_are_removed_once_they_are_many(results, monkeypatch):
    monkeypatch.setattr(vector_files, "SPARE", 2)
    for seed in range(10, 20):
        make_vectors(results / "a", seed, {"said": 5})
        vector_files.update(results, FILMS)
        assert content(results) == wanted(results)
    index = vector_files.read(results)
    assert index.tables[TEXT].generation > 0
    assert index.tables[TEXT].rows <= 2 * len(wanted(results)) + 2


@pytest.mark.parametrize("damage", ["index", "cut", "gone", "version"])
def test_what_is_damaged_is_made_again(results, damage):
    vector_files.update(results, FILMS)
    index, vectors = results / vector_index.NAME, next(results.glob(f"{vector_index.NAME}.*.f16"))
    if damage == "index":
        index.write_bytes(index.read_bytes()[:-3])
    elif damage == "cut":
        vectors.write_bytes(vectors.read_bytes()[:-2])
    elif damage == "gone":
        vectors.unlink()
    else:
        index.write_bytes(index.read_bytes().replace(b"format\x01", b"format\x63"))
    assert vector_files.read(results) is None
    assert not vector_index.is_current(results, FILMS)
    assert vector_files.update(results, FILMS) == 3
    assert content(results) == wanted(results)


def test_vectors_of_another_model_stand_apart(results):
    other = MODEL | {"content": "1" * 64}
    make_vectors(results / "b", 1, dims=32, model=other)
    vector_files.update(results, FILMS)
    index = vector_files.read(results)
    assert {table.dims for table in index.tables.values()} == {64, 32}
    assert content(results) == wanted(results)
    make_vectors(results / "b", 1)
    vector_files.update(results, FILMS)
    assert list(vector_files.read(results).tables) == [TEXT]  # nobody has the other any more


def test_bits_are_the_signs_and_padded_to_whole_words():
    vectors = np.array([[1.0, -1.0, 0.5] + [-1.0] * 67], np.float16)
    (bits,) = vector_files.packed(vectors)
    assert bits.shape == (2,) and int(np.bitwise_count(bits).sum()) == 2


def test_a_row_is_as_long_as_the_index_takes_it_to_be():
    assert vector_files.ROW.itemsize == vector_index.ROW
    assert film_vectors.LITTLE.itemsize == vector_index.VALUE


def test_to_find_out_that_all_is_current_needs_no_numpy(results):
    vector_files.update(results, FILMS)
    code = (
        "import sys; from pathlib import Path; from reelmake.catalog import updating, vector_index;"
        "updating.is_current(Path(sys.argv[1]));"
        f"assert vector_index.is_current(Path(sys.argv[1]), {list(FILMS)!r});"
        "assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, results], check=True)
