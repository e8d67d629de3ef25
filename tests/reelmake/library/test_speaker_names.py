"""The table of names, as people and their programs leave it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.foundation.errors import UserError
from reelmake.library import speaker_names
from reelmake.library.speaker_names import Row


@pytest.fixture
def table(tmp_path):
    return tmp_path / "speakers.csv"


def test_there_may_be_no_table(table):
    assert not speaker_names.read(table)
    assert speaker_names.read(table).of("one", "/films/one.mp4") == {}


@pytest.mark.parametrize(
    "content",
    [
        b"film,label,name\none,S1,Anna\n",
        b"\xef\xbb\xbffilm;label;name\r\none;S1;Anna\r\n",
        "film\tlabel\tname\none\tS1\tAnna\n".encode("utf-16"),
        b'Name , LABEL,film,note\n" Anna ",s1, one ,the host\n',
        b"\n\nfilm,label,name\n\n,,\none,S2,\none,S1,Anna",
    ],
)
def test_what_programs_write_is_read(table, content):
    table.write_bytes(content)
    assert speaker_names.read(table).of("one", "/films/one.mp4") == {"S1": "Anna"}


def test_a_film_is_known_by_its_id_and_path_before_what_is_of_all(table, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    table.write_text(
        "film,label,name\n*,S1,Host\n*,S2,Guest\nfilms/one.mp4,S2,Ben\none,S1,Anna\n"
        "https://a/b?c=d,S1,Eve\n"
    )
    names = speaker_names.read(table)
    assert names.of("one", str(tmp_path / "films" / "one.mp4")) == {"S1": "Anna", "S2": "Ben"}
    assert names.of("two", "/films/two.mp4") == {"S1": "Host", "S2": "Guest"}
    assert names.of("x", "https://a/b?c=d")["S1"] == "Eve"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("film,label\none,S1\n", r"line 1: there is no column name; the first line"),
        ("one,S1,Anna\n", r"line 1: there is no column film, label, name"),
        ("film,label,name\n,S1,Anna\n", r"line 2: it names no film"),
        ("film,label,name\none,S1,Anna\none,1,Ben\n", r"line 3: '1' is no label of a voice"),
        ("film,label,name\none,S0,Ben\n", r"line 2: 'S0' is no label"),
        ("film,label,name\none,S1,\u202e\u200b\n", r"line 2: the name has nothing"),
        ("film,label,name\n\none,S1,A\none,S1,B\n", r"line 4: S1 of one is 'B' here, and 'A' in"),
        ('film,label,name\none,S1,"A\ntwo,S2,B\nthree,S1,C\n', r"line 2: it is no CSV: unexpected"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(table, content, says):
    table.write_text(content)
    with pytest.raises(UserError, match=f"speakers.csv, {says}"):
        speaker_names.read(table)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"film,label,name\none,S1,\xff\n", "line 2: it is no UTF-8"), (b"\0" * 5, "no column")],
)
def test_what_is_no_text_is_said(table, content, says):
    table.write_bytes(content)
    with pytest.raises(UserError, match=says):
        speaker_names.read(table)


def test_a_folder_of_that_name_is_said(table):
    table.mkdir()
    with pytest.raises(UserError, match="can't be read: Is a directory"):
        speaker_names.read(table)


def test_a_name_is_one_line_that_can_be_seen(table):
    table.write_text('film,label,name\none,S1,"An\u202ena\n\tMüller\u200f"\ntwo,S1,' + "x" * 500)
    names = speaker_names.read(table)
    assert names.of("one", "") == {"S1": "Anna Müller"}
    assert len(names.of("two", "")["S1"]) == speaker_names.LONGEST


def test_rows_of_no_film_are_said_and_do_no_harm(table):
    table.write_text("film,label,name\n*,S1,A\none,S1,B\n/f/two.mp4,S1,C\nonee,S2,D\n")
    said = []
    videos = {"one": "/f/one.mp4", "two": "/f/two.mp4"}
    speaker_names.read(table).tell_unknown(table, videos, table.parent, said.append)
    assert said == [
        f"{table}, line 5: there is no film 'onee' (did you mean 'one'?); give its id or path"
    ]


def test_a_film_that_this_run_leaves_out_is_there(table, tmp_path):
    (tmp_path / "results" / "other").mkdir(parents=True)
    film = tmp_path / "films.mp4"
    film.touch()
    table.write_text(f"film,label,name\nother,S1,A\n{film},S1,B\nno,S1,C\n")
    said = []
    names = speaker_names.read(table)
    names.tell_unknown(table, {"one": "/f/one.mp4"}, tmp_path / "results", said.append)
    assert said == [f"{table}, line 4: there is no film 'no'; give its id or path"]


def test_of_many_rows_of_no_film_a_few_are_said(table):
    table.write_text("film,label,name\n" + "".join(f"no{n},S1,A\n" for n in range(50)))
    said = []
    speaker_names.read(table).tell_unknown(table, {"one": "/f/one.mp4"}, table.parent, said.append)
    assert len(said) == 4
    assert said[-1] == f"{table}: 47 more rows of films that are not here"


def test_a_change_leaves_the_rest_as_people_have_it(table):
    whole = '\ufefffilm;note;label;name\n*;"a; b";S2;Guest\n\none;;s1;Ana\ntwo;x;S1;\n'
    table.write_text(whole)
    names = {("one", "S1"): "Anna", ("two", "S1"): "Ben", ("three", "S3"): "Eve; X"}
    assert speaker_names.change(table, names) == 3
    assert table.read_text() == (
        '\ufefffilm;note;label;name\n*;"a; b";S2;Guest\n\none;;s1;Anna\ntwo;x;S1;Ben\n'
        'three;;S3;"Eve; X"\n'
    )
    assert speaker_names.change(table, names) == 0
    assert speaker_names.change(table, {("one", "S1"): "", ("four", "S1"): ""}) == 1
    assert speaker_names.read(table).of("one", "") == {"S2": "Guest"}


def test_a_voice_that_is_named_twice_is_renamed_twice(table):
    table.write_text("film,label,name\none,S1,Anna\none,s1,Anna\n")
    assert speaker_names.change(table, {("one", "S1"): "Ben"}) == 2
    assert speaker_names.read(table).of("one", "") == {"S1": "Ben"}
    assert speaker_names.change(table, {("one", "S1"): ""}) == 2
    assert not speaker_names.read(table)


def test_a_change_keeps_who_may_edit_it_and_how_its_lines_end(table):
    table.write_bytes(b"film,label,name\r\none,S1,Anna\r\n")
    table.chmod(0o664)
    speaker_names.change(table, {("two", "S1"): "Ben"})
    assert table.read_bytes() == b"film,label,name\r\none,S1,Anna\r\ntwo,S1,Ben\r\n"
    assert table.stat().st_mode & 0o777 == 0o664


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_a_program_that_wrote_unicode_still_knows_letters_after_a_change(table, order):
    table.write_bytes("\ufefffilm\tlabel\tname\none\tS1\tÄnne\n".encode(order))
    assert speaker_names.change(table, {("two", "S1"): "Zoë"}) == 1
    made = "\ufefffilm\tlabel\tname\none\tS1\tÄnne\ntwo\tS1\tZoë\n"
    assert table.read_bytes() == made.encode()  # without its mark it is taken for Latin-1


def test_commands_at_once_lose_no_name(table):
    def name(number):
        speaker_names.change(table, {(f"film{number}", "S1"): "Anna"})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(name, range(4)))
    assert len(speaker_names.read(table).rows) == 4
    assert [path.name for path in table.parent.iterdir()] == ["speakers.csv"]


def test_a_table_that_no_run_takes_is_not_changed(table):
    table.write_text("film,label,name\none,1,Anna\n")
    with pytest.raises(UserError, match="line 2"):
        speaker_names.change(table, {("one", "S1"): "Anna"})
    assert table.read_text() == "film,label,name\none,1,Anna\n"


def test_a_new_table_has_its_columns(table):
    assert speaker_names.change(table, {("one", "S1"): "Anna"}) == 1
    assert table.read_text() == "film,label,name\none,S1,Anna\n"
    assert speaker_names.read(table).rows == (Row(2, "one", "S1", "Anna"),)


@given(st.text(max_size=200))
def test_any_text_is_a_table_or_a_clear_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(("film,label,name\n" + text).encode(errors="replace"))
    try:
        found = speaker_names.read(path)
    except UserError as error:
        assert str(path) in str(error)
    else:
        assert all(row.name and speaker_names.LABEL.fullmatch(row.label) for row in found.rows)
