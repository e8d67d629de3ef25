"""Chapters, written by a model's words and read back from a film."""

import itertools
import re

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

import make_media
from reelmake.editing import chapters
from reelmake.editing.chapters import TITLE_LENGTH, Chapter, build, ffmetadata, plain, title
from reelmake.library import config
from workspace import ROOT

HIGHLIGHTS = ROOT / "docs" / "highlights.md"


def beats(*parts):
    names = itertools.chain(["setup"], itertools.repeat("rising"))
    return {
        "beats": [
            {"beat": beat, "start": start, "end": start + 1, "title": name}
            for beat, (start, name) in zip(names, parts, strict=False)
        ]
    }


def pictures(*bounds):
    scenes = [
        {"id": number, "start": start, "end": end}
        for number, (start, end) in enumerate(itertools.pairwise(bounds))
    ]
    return {"scenes": scenes}


def described(*parts):
    """(scene's number, what is seen or None)"""
    return [
        {
            "record": {"scene_id": scene},
            "description": seen
            and {"visual_content": seen, "mood": "m", "action": "a", "setting": "s"},
        }
        for scene, seen in parts
    ]


def made(narrative=None, scenes=None, seen=(), duration=100.0, **settings):
    given = config.load({"chapters": settings})["chapters"]
    media = {"duration": duration}
    found = build(media, scenes or pictures(), seen, narrative or beats(), given)
    assert found[0].start == 0
    assert found[-1].end == round((duration or found[-1].end / 1000) * 1000)
    for chapter, after in itertools.pairwise(found):
        assert chapter.end == after.start
    assert all(chapter.start < chapter.end and chapter.title for chapter in found)
    return [(chapter.start / 1000, chapter.title) for chapter in found]


def test_a_chapter_a_beat_by_its_title_or_what_is_seen():
    narrative = beats((12, "A ball falls"), (40.5, None), (70, " \n"))
    assert made(narrative) == [(0, "A ball falls"), (40.5, "Part 2"), (70, "Part 3")]
    seen = described((0, "a box"), (1, "a red ball"))
    found = made(narrative, pictures(0, 20, 50, 100), seen)
    assert found == [(0, "A ball falls"), (40.5, "a red ball"), (70, "Part 3")]
    assert made(beats((12, None))) == [(0, "Part 1")]


def test_a_chapter_a_scene_by_what_is_seen_first():
    seen = described((0, None), (0, "a red ball"), (0, "a box"), (2, "a blue ball"))
    found = made(scenes=pictures(0, 20, 50, 100), seen=seen, by="scenes")
    assert found == [(0, "a red ball"), (20, "Scene 2"), (50, "a blue ball")]


def test_short_ones_belong_to_the_one_before():
    def starts(*times):
        return [start for start, _ in made(beats(*((time, f"at {time}") for time in times)))]

    assert starts(0, 20, 25, 60) == [0, 25, 60]
    assert starts(0, 20, 95) == [0, 20]
    # Scenes of 5 s each add up, instead of all being part of the first.
    assert starts(*range(0, 100, 5)) == list(range(0, 100, 10))
    assert made(beats((0, "a"), (4, "b"), (50, "c"))) == [(0, "b"), (50, "c")]
    assert made(beats((0, "a"), (0, "b"), (0, "c"))) == [(0, "c")]
    assert starts(0, 10, 20) == [0, 10, 20]  # just long enough
    assert made(beats((0, "a"), (3, "b")), min_seconds=0) == [(0, "a"), (3, "b")]


def test_without_beats_or_scenes_the_film_is_one_chapter():
    assert made() == [(0, "Film")]
    assert made(by="scenes") == [(0, "Film")]
    assert made(beats((100, "after the end"))) == [(0, "Film")]
    assert made(duration=3.0) == [(0, "Film")]
    assert made(beats((0, "a"), (30, "b")), pictures(0, 50), duration=None) == [
        (0, "a"),
        (30, "b"),
    ]


@given(st.lists(st.tuples(st.floats(0, 120), st.text(max_size=5)), max_size=30), st.floats(0, 30))
def test_chapters_of_any_beats(parts, shortest):
    found = [start for start, _ in made(beats(*parts), min_seconds=shortest)]
    if len(found) > 1:
        for start, after in itertools.pairwise([*found, 100.0]):
            assert after - start >= round(shortest, 3) - 1e-9


def test_titles_are_one_line_of_a_limited_length():
    assert title("a\nb\r\n\tc\x00d\x1b[1m \u2028 e") == "a b c d [1m e"
    assert title("left \u202eto right\ud800") == "left to right"
    assert title("family 👨‍👩‍👧") == "family 👨‍👩‍👧"
    assert title("ends in \\ \\\\") == "ends in"
    assert title(None) == title("\x07") == ""
    long = title("a red ball falls, " * 10)
    assert long.endswith("falls, a red…")
    assert len(long) <= TITLE_LENGTH
    assert title("x" * 200) == "x" * (TITLE_LENGTH - 1) + "…"
    assert title("x" * TITLE_LENGTH) == "x" * TITLE_LENGTH


def test_times_as_people_write_them():
    found = [
        Chapter(0, 59_999, "Setup"),
        Chapter(59_999, 3_600_000, "It falls"),
        Chapter(3_600_000, 4_000_000, "The end"),
    ]
    assert plain(found) == "00:00 Setup\n00:59 It falls\n1:00:00 The end\n"


def test_ffmetadata_is_escaped_as_ffmpeg_documents_it():
    assert ffmetadata([Chapter(0, 1500, "a=b;c#d\\e")]) == (
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1500\ntitle=a\\=b\\;c\\#d\\\\e\n"
    )


TITLES = [
    "a=b; #c \\ d",
    "[CHAPTER]",
    ";FFMETADATA1",
    "#",
    "😀 “é” 你好",
    "START=5",
    "C:\\x=1\\\\y",
]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_ffmpeg_puts_them_into_a_film(tmp_path, suffix):
    """In place of its own, with all of its tracks and its title: the command of the docs."""
    (tmp_path / "old").write_bytes(ffmetadata([Chapter(0, 7000, "old")]).encode())
    film = tmp_path / f"film.{suffix}"
    make_media.ffmpeg(
        *("-f", "lavfi", "-i", "color=green:s=64x64:r=5:d=14", "-i", tmp_path / "old"),
        *("-f", "lavfi", "-i", "sine=d=14", "-f", "lavfi", "-i", "sine=330:d=14"),
        *("-map", "0", "-map", "2", "-map", "3", "-metadata", "title=A film", film),
    )
    narrative = beats(*((2 * number, name) for number, name in enumerate(TITLES)))
    found = chapters.build(
        {"duration": 14.0}, pictures(), [], narrative, {"by": "beats", "min_seconds": 1}
    )
    (tmp_path / "chapters.ffmetadata").write_bytes(ffmetadata(found).encode())
    marked = tmp_path / f"marked.{suffix}"
    (line,) = re.findall("`ffmpeg (-i .*chapters.ffmetadata .*)`", HIGHLIGHTS.read_text())
    files = {
        "holiday.mp4": film,
        "results/holiday/chapters.ffmetadata": tmp_path / "chapters.ffmetadata",
        "out.mp4": marked,
    }
    make_media.ffmpeg(*(files.get(word, word) for word in line.split()))
    with av.open(str(marked)) as container:
        kinds = [stream.type for stream in container.streams if stream.type != "data"]
        assert kinds == ["video", "audio", "audio"]
        assert container.metadata["title"] == "A film"
        read = [
            (
                float(chapter["start"] * chapter["time_base"]),
                float(chapter["end"] * chapter["time_base"]),
                chapter["metadata"]["title"],
            )
            for chapter in container.chapters()
        ]
    assert read == [(2.0 * number, 2.0 * number + 2, name) for number, name in enumerate(TITLES)]
