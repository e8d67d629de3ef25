"""Which videos there are, and their ids."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.foundation.errors import UserError
from reelmake.library import config, videos

EXTENSIONS = config.load({})["extensions"]


def find(given, **more):
    return videos.find(config.load({"videos": given, **more}))


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "b.mkv", "sub/a.mp4", "notes.txt", ".hidden.mp4", "._a.mp4"):
        path = tmp_path / "films" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "films" / ".trash").mkdir()
    (tmp_path / "films" / ".trash" / "old.mp4").touch()
    return tmp_path


def test_a_folder_is_searched_recursively_for_videos_only(library):
    assert list(find("films")) == ["a", "b.mkv", "sub__a"]
    assert find("films")["sub__a"].source == str(library / "films" / "sub" / "a.mp4")


def test_a_folder_elsewhere_gives_the_same_ids(library, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert list(find(str(library / "films"))) == ["a", "b.mkv", "sub__a"]


def test_home_is_expanded(library, monkeypatch):
    monkeypatch.setenv("HOME", str(library))
    assert list(find("~/films")) == ["a", "b.mkv", "sub__a"]


def test_a_glob_a_list_and_a_single_file(library):
    assert list(find("films/**/a.mp4")) == ["a", "sub__a"]
    assert list(find(["films/a.mp4", "films/sub/a.mp4"])) == ["films__a", "films__sub__a"]
    assert list(find("films/b.mkv")) == ["b.mkv"]


def test_files_of_a_list_that_lie_elsewhere_never_share_an_id(library, tmp_path_factory):
    there, other = tmp_path_factory.mktemp("there"), tmp_path_factory.mktemp("other")
    found = find([str(there / "x.mp4"), str(other / "x.mp4")])
    assert len(found) == 2
    assert all(id.startswith("x-") for id in found)


def test_somebody_who_does_not_exist_has_no_home(library):
    with pytest.raises(UserError, match="no home"):
        find("~nobody-of-this-name/films")


def test_a_folder_that_cannot_be_looked_into_is_said(library, monkeypatch):
    monkeypatch.setattr(os, "scandir", forbidden(os.scandir, "films/sub"))
    said = []
    given = config.load({"videos": "films"})
    assert list(videos.find(given, said.append)) == ["a", "b.mkv"]
    assert "sub is left out" in said[0]


def forbidden(scandir, folder):
    """scandir as it is for who may not look into `folder` (tests may run as root)."""

    def scan(path):
        if str(path) == str(folder):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    return scan


def test_a_link_to_a_parent_folder_ends(library):
    (library / "films" / "sub" / "loop").symlink_to(library / "films")
    assert list(find("films")) == ["a", "b.mkv", "sub__a"]


@pytest.fixture
def used(library):
    """A working directory beside films that a run has filled, another library, a cache, a demo."""
    made = (
        "work/results/film/fingerprints/media.json",
        "work/results/film/jobs/media.json",
        "work/results/film/clips/clip001.mp4",
        "work/results/film/trailer.mp4",
        "work/results/web/fingerprints/media.json",
        "work/results/web/manifest.json",
        "work/results/web/source.mp4",
        "work/.snakemake/metadata/x.mp4",
        "cache/index.sqlite",
        "cache/objects/ab/x.mp4",
        "cache/quarantine/x.mp4",
        "own/objects/x.mp4",
        "reelmake/demo/make_picture.py",
        "reelmake/demo/training/make_video.py",
        "reelmake/demo/videos/demo.mp4",
        # Their names only.
        "films/results/clips/c.mp4",
        "films/demo/videos/d.mp4",
        "films/cache/objects/e.mp4",
        "films/jobs/fingerprints/f.mp4",
    )
    for name in made:
        path = library / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return library


FILMS = ["a", "cache__objects__e", "demo__videos__d", "jobs__fingerprints__f", "results__clips__c"]


@pytest.mark.parametrize("there", [".", "work"])
@pytest.mark.parametrize("pattern", ["", "**/*.mp4"])
@pytest.mark.parametrize("is_absolute", [True, False])
def test_what_reelmake_made_is_no_film(used, monkeypatch, there, pattern, is_absolute):
    monkeypatch.chdir(used / there)
    top = used if is_absolute else os.path.relpath(used)
    said = []
    given = {"videos": os.path.join(top, pattern), "cache": {"dir": str(used / "own")}}
    found = videos.find(config.load(given), said.append)
    sources = [os.path.relpath(video.source, used / "films") for video in found.values()]
    films = [f"{name.replace('__', '/')}.mp4" for name in [*FILMS, "sub__a"]]
    assert sorted(sources) == sorted(films if pattern else [*films, "b.mkv"])
    (line,) = said
    assert "left out" in line
    assert "list" in line


def test_only_ordinary_folders_are_nothing_to_speak_of(used):
    said = []
    videos.find(config.load({"videos": "films"}), said.append)
    videos.find(config.load({"videos": "films/**/*.mp4"}), said.append)
    assert said == []


@pytest.mark.parametrize(
    "given",
    ["work/results", "work/results/film", "work/results/film/clips", "work/results/*/*.mp4"],
)
def test_results_hold_no_films_however_they_are_named(used, given):
    (used / "link").symlink_to("work/results/film/clips")
    for name in (given, "link", "link/*.mp4"):
        with pytest.raises(UserError, match="nothing found"):
            find(name)


def test_who_names_a_file_or_the_demo_or_keeps_films_in_a_cache_means_it(used):
    (clip,) = find(["work/results/film/clips/clip001.mp4"]).values()
    (trailer,) = find("work/results/film/trailer.mp4").values()
    assert [clip.source, trailer.source] == [
        str(used / "work/results/film" / name) for name in ("clips/clip001.mp4", "trailer.mp4")
    ]
    for name in ("reelmake/demo", "reelmake/demo/videos", "reelmake/demo/videos/*.mp4"):
        assert len(find(name)) == 1
    assert len(find("films", cache={"dir": str(used)})) == 7
    assert len(find("films", cache={"dir": "films"})) == 7


@pytest.mark.parametrize(
    "given", ["nowhere", "films/*.avi", ["films"], ["films/*.mp4"], "sheet.tsv"]
)
def test_what_is_not_there_is_refused_with_the_next_step(library, given):
    with pytest.raises(UserError, match="videos:"):
        find(given)


def test_a_folder_without_videos_is_refused(library):
    (library / "empty").mkdir()
    with pytest.raises(UserError, match="nothing found"):
        find("empty")


def test_a_sample_sheet_gives_ids_and_settings(library):
    (library / "sheet.csv").write_text(
        'source,id,language,keyframes.per_scene\nfilms/a.mp4,first,de,\n"films/b.mkv",,,2\n'
    )
    found = find("sheet.csv")
    assert list(found) == ["films__b.mkv", "first"]
    assert found["first"].overrides == {"transcription.language": "de"}
    assert found["films__b.mkv"].overrides == {"keyframes.per_scene": "2"}


@pytest.mark.parametrize(
    ("sheet", "hint"),
    [
        ("id\nx\n", "source"),
        ("source,id\nfilms/a.mp4,../x\n", "row 2"),
        ("source,id\nfilms/a.mp4,-x\n", "row 2"),
        ("source,id\nfilms/a.mp4,.x\n", "row 2"),
        ('source,id\nfilms/a.mp4,"x\ny"\n', "row 2"),
        ("source,langage\nfilms/a.mp4,de\n", "language"),
        ("source,language\nfilms/a.mp4,German\n", "language"),
        ("source,id\nfilms/a.mp4\n", "cells"),
        ("source,id\nfilms/a.mp4,x\nfilms/b.mkv,x\n", "both be 'x'"),
        ("source,keyframes.per_scene\nfilms/a.mp4,1\nfilms/a.mp4,2\n", "two rows"),
        ("source,keyframes.per_scene\nfilms/a.mp4,many\n", "row 2"),
        ("source,keep_audio\nfilms/a.mp4,true\n", "can't be set for one video"),
        ("source,id\nfilms/a.mp4," + "日" * 100 + "\n", "too long"),
        ("source,id\n", "no rows"),
        ("", "no rows"),
        ("source\n" + "x" * 200_000 + "\n", "cannot be read"),
    ],
)
def test_a_wrong_sample_sheet_is_refused_where_it_is_wrong(library, sheet, hint):
    (library / "sheet.csv").write_text(sheet)
    with pytest.raises(UserError) as error:
        find("sheet.csv")
    assert hint in str(error.value)


def make_id(relative):
    return videos.make_id(relative, EXTENSIONS)


def test_plain_names_stay_readable():
    assert make_id("holiday.mp4") == "holiday"
    assert make_id("2023/Übung 1.mp4").startswith("2023__Übung_1-")
    assert make_id("日本語.mp4") == "日本語"
    assert make_id("Film.2019.1080p.mp4") == "Film.2019.1080p"


NAMES = [
    "a.mp4", "a.mkv", "a.MP4", "A.mp4", "a.mkv.mp4", "a b.mp4", "a_b.mp4", "a__b.mp4", "a/b.mp4",
    "a\nb.mp4", "a'b.mp4", 'a"b.mp4', "-a.mp4", "--help.mp4", "..mp4", "../a.mp4", "a/../b.mp4",
    "😀.mp4", "😁.mp4", "{wildcard}.mp4", "$(id).mp4", "a\\b.mp4", " a.mp4", "a .mp4", ".mp4",
    "x" * 255, "x" * 251 + ".mp4", "y" * 300 + ".mp4", "é.mp4", "e\u0301.mp4", "\udcff.mp4",
    "%d.mp4",
]  # fmt: skip


def is_safe(id: str) -> bool:
    return (
        0 < len(os.fsencode(id)) <= videos.MAX_ID_BYTES
        and id[0] not in ".-"
        and Path(id).name == id
        and all(c.isalnum() or c in "_-." or ord(c) > 127 for c in id)
    )


def test_odd_names_are_safe_and_never_share_an_id():
    ids = [make_id(name) for name in NAMES]
    assert len(set(ids)) == len(NAMES)
    assert all(is_safe(id) for id in ids), [id for id in ids if not is_safe(id)]


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
        unique=True,
    )
)
def test_any_names_are_safe_and_never_share_an_id(names):
    ids = [make_id(name + extension) for name in names for extension in (".mp4", ".mkv")]
    assert len(set(ids)) == len(ids)
    assert all(is_safe(id) for id in ids)


@pytest.mark.parametrize("name", ["pages", "Pages", "catalog.db", "catalog.db-wal", "catalog.json"])
def test_a_video_never_lies_where_the_library_has_a_file_of_its_own(library, name):
    id = videos.make_id(f"{name}.mp4", ["mp4"])
    assert re.fullmatch(re.escape(name) + "-[0-9a-f]{8}", id)
    assert videos.make_id(f"my {name}.mp4", ["mp4"]).startswith("my_")
    (library / "sheet.csv").write_text(f"source,id\na.mp4,{name}\n")
    with pytest.raises(UserError, match="the library's own; give another id"):
        find("sheet.csv")


def test_an_id_stays_when_other_files_come_and_go(library):
    before = {video.source: id for id, video in find("films").items()}
    (library / "films" / "b.mp4").touch()
    (library / "films" / "B.mkv").touch()
    (library / "films" / "a.mp4").unlink()
    after = {video.source: id for id, video in find("films").items()}
    assert all(after[source] == id for source, id in before.items() if source in after)
    assert len(after) == 4


URL = "https://example.org/films/holiday.mp4"


def test_a_sheet_is_checked_together_with_the_other_settings(library):
    (library / "sheet.csv").write_text("source,segments.min_seconds\na.mp4,100\n")
    given = {"videos": "sheet.csv", "segments": {"max_seconds": 200}}
    (video,) = videos.find(config.load(given)).values()
    assert video.overrides == {"segments.min_seconds": "100"}
    with pytest.raises(UserError, match=r"row 2: .*\(100\) is more than .* \(90\)"):
        videos.find(config.load(given | {"segments": {"max_seconds": 90}}))


def test_a_url_is_a_video_by_itself_in_a_list_and_in_a_sheet(library):
    assert [video.source for video in find(URL).values()] == [URL]
    (id,) = find(URL)
    assert id.startswith("holiday-")
    assert len(id) == len("holiday-") + 8
    assert set(find([URL, "films/a.mp4"])) == {id, "films__a"}
    (library / "sheet.csv").write_text(f"source,id,language\n{URL},,en\n{URL}?b,other,\n")
    found = find("sheet.csv")
    assert found[id].overrides == {"transcription.language": "en"}
    assert found["other"].source == f"{URL}?b"


def test_the_id_of_a_url_depends_on_all_of_it_and_is_a_safe_name():
    urls = [
        URL,
        f"{URL}?v=1",
        f"{URL}?v=2",
        "https://example.com/films/holiday.mp4",
        "https://example.org/../../etc/passwd",
        "https://example.org/%2e%2e%2f%2e%2e%2fetc",
        "https://example.org/..",
        "https://example.org/-rf",
        "https://example.org/" + "ü" * 300 + ".mp4",
        "https://example.org",
        "https://example.org/sheet.csv",
        "https://example.org/a[b]*.mp4",
    ]
    ids = list(find(urls))
    assert len(set(ids)) == len(urls)
    for id in ids:
        assert "/" not in id
        assert id[0].isalnum()
        assert len(id.encode()) <= videos.MAX_ID_BYTES


def test_a_wrong_url_is_refused_without_its_secrets():
    with pytest.raises(UserError, match="no right address") as error:
        find("http://me:secret@/film.mp4?token=secret")
    assert "secret" not in str(error.value)
