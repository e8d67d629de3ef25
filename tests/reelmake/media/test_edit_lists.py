"""What an editor's program reads from trailer.otio and trailer.edl."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import opentimelineio as otio
import pytest

from reelmake.editing import timecode
from reelmake.editing.frame_rate import Cadence
from reelmake.editing.trailer_plan import Plan, Shot
from reelmake.media import edit_lists

FILM = Path("/films/A film.mp4")
PAL, NTSC, PHONE = Fraction(25), Fraction(30000, 1001), Fraction(180, 7)
SOUND = {"video": 0, "audio": 1}
SHOTS = (
    Shot(10, 60, "setup", "A start", "It begins."),
    Shot(100, 175, "climax", None, None),
    Shot(300, 350, "resolution", "The end", "It ends."),
)


def planned(rate: Fraction, fade: int = 13, shots: tuple[Shot, ...] = SHOTS) -> Plan:
    return Plan(shots, fade, Cadence(rate, 400))


def read_otio(plan: Plan, found: dict[str, Any] = SOUND, source: Path = FILM) -> Any:
    content = edit_lists.to_otio(edit_lists.timeline("a film", source, found, plan, 1.0))
    return otio.adapters.read_from_string(content.decode(), "otio_json")


def read_edl(plan: Plan, found: dict[str, Any] = SOUND, source: Path = FILM) -> Any:
    content = edit_lists.to_edl("a film", source, found, plan).decode("ascii")
    rate = float(edit_lists.edl_rate(plan.film.rate))
    return otio.adapters.read_from_string(content, "cmx_3600", rate=rate)


def frames(time_range: Any) -> tuple[float, float]:
    return time_range.start_time.value, time_range.end_time_exclusive().value


@pytest.mark.parametrize("rate", [PAL, NTSC, PHONE, Fraction(60000, 1001)])
def test_otio_has_the_cuts_in_the_middle_of_the_fades(rate: Fraction) -> None:
    plan = planned(rate)
    made = read_otio(plan)
    assert [track.kind for track in made.tracks] == ["Video", "Audio"]
    for track in made.tracks:
        clips = list(track.find_clips())
        assert [frames(clip.source_range) for clip in clips] == [(10, 53), (106, 168), (306, 350)]
        assert {clip.source_range.start_time.rate for clip in clips} == {
            rate.numerator / rate.denominator
        }
        fades = [item for item in track if isinstance(item, otio.schema.Transition)]
        assert [(f.in_offset.value, f.out_offset.value) for f in fades] == [(6, 7), (6, 7)]
        assert {fade.transition_type for fade in fades} == {"SMPTE_Dissolve"}
        assert [frames(clip.range_in_parent()) for clip in clips] == [
            (0, 43),
            (43, 105),
            (105, 149),
        ]
        assert track.duration().value == plan.length == 149
        # The frames that a fade takes from beyond a cut are those of the trailer.
        for clip, shot in zip(clips, plan.shots, strict=True):
            assert frames(clip.trimmed_range())[0] in (shot.start, shot.start + 6)
            seen = clip.trimmed_range_in_parent()
            assert frames(seen)[0] - plan.places()[plan.shots.index(shot)] in (0, 6)


def test_media_is_the_whole_film_and_handles_are_what_a_shot_needs() -> None:
    for clip in read_otio(planned(PAL)).find_clips():
        assert clip.active_media_reference_key == "DEFAULT_MEDIA"
        assert frames(clip.media_reference.available_range) == (0, 400)
    clips = list(read_otio(planned(PAL)).tracks[0].find_clips())
    kept = [clip.media_references()["handles"] for clip in clips]
    assert [frames(reference.available_range) for reference in kept] == [
        (0, 78),
        (81, 193),
        (281, 375),
    ]
    assert {reference.target_url for reference in kept} == {"file:///films/A%20film.mp4"}


def test_titles_are_markers_names_and_metadata() -> None:
    clips = list(read_otio(planned(PAL)).tracks[0].find_clips())
    assert [clip.name for clip in clips] == ["A start", "climax", "The end"]
    for clip, shot in zip(clips, SHOTS, strict=True):
        (marker,) = clip.markers
        assert (marker.name, marker.comment) == (clip.name, shot.why or "")
        assert frames(marker.marked_range) == frames(clip.source_range)
        told = {"beat": shot.beat, "title": shot.title, "why": shot.why}
        assert dict(marker.metadata["reelmake"]) == dict(clip.metadata["reelmake"]) == told


@pytest.mark.parametrize(
    ("found", "kinds"),
    [
        (SOUND, ["Video", "Audio"]),
        ({"video": 0, "audio": None}, ["Video"]),
        ({"video": None, "audio": 0}, ["Audio"]),
    ],
)
def test_tracks_are_what_the_film_has(found: dict[str, Any], kinds: list[str]) -> None:
    made, edl = read_otio(planned(PAL), found), read_edl(planned(PAL), found)
    assert [track.kind for track in made.tracks] == kinds
    assert [track.kind for track in edl.tracks] == kinds[:1]


@pytest.mark.parametrize("rate", [PAL, NTSC, Fraction(24), Fraction(24000, 1001), Fraction(30)])
def test_the_edit_list_has_the_same_cuts(rate: Fraction) -> None:
    (track,) = read_edl(planned(rate)).tracks
    clips = list(track.find_clips())
    # Edit lists have a fade begin with a cut, on whose other side the new shot is whole.
    assert [frames(clip.source_range) for clip in clips] == [(10, 47), (100, 162), (300, 350)]
    fades = [item for item in track if isinstance(item, otio.schema.Transition)]
    assert [(f.in_offset.value, f.out_offset.value) for f in fades] == [(0, 13), (0, 13)]
    assert {fade.transition_type for fade in fades} == {"SMPTE_Dissolve"}
    assert track.duration().value == 149
    assert [clip.media_reference.target_url for clip in clips][:1] == ["file:///films/A%20film.mp4"]


def test_an_edit_list_without_fades_has_cuts() -> None:
    (track,) = read_edl(planned(PAL, 0)).tracks
    assert [frames(clip.source_range) for clip in track] == [(10, 60), (100, 175), (300, 350)]


@pytest.mark.parametrize(
    ("rate", "edl"),
    [
        (PAL, PAL),
        (NTSC, NTSC),
        (Fraction(60000, 1001), NTSC),
        (Fraction(50), PAL),
        (Fraction(48000, 1001), Fraction(24000, 1001)),
        (PHONE, PAL),
        (Fraction(15), Fraction(24000, 1001)),
        (Fraction(60), Fraction(30)),
    ],
)
def test_other_frame_rates_become_one_that_edit_lists_know(rate: Fraction, edl: Fraction) -> None:
    assert edit_lists.edl_rate(rate) == edl
    (track,) = read_edl(planned(rate)).tracks
    for clip, shot in zip(track.find_clips(), SHOTS, strict=True):
        start, wanted = clip.source_range.start_time.to_seconds(), float(shot.start / rate)
        assert start == pytest.approx(wanted, abs=0.51 / float(edl))


def test_timecode_of_29_97_is_drop_frame_and_goes_beyond_a_day() -> None:
    hour = 107892
    shots = (Shot(hour, hour + 60, "setup", "one", None), Shot(hour * 25, hour * 25 + 60, *"bcd"))
    plan = Plan(shots, 0, Cadence(NTSC, hour * 26))
    lines = edit_lists.to_edl("a", FILM, SOUND, plan).decode().splitlines()
    assert lines[:3] == ["TITLE: a", "FCM: DROP FRAME", ""]
    assert (
        lines[3] == "001  AFILM    V     C        01:00:00;00 01:00:02;00 00:00:00;00 00:00:02;00"
    )
    assert "01:00:00;00 01:00:02;00" in lines[6]
    plan = Plan(SHOTS, 0, Cadence(PAL, 400))
    assert "FCM: NON-DROP FRAME" in edit_lists.to_edl("a", FILM, SOUND, plan).decode()


NAMES = ['it\'s 100%d "so".mp4', "-i.mp4", "a:b?c#d;[1-9].mp4", "🎬 ñ\n.mp4", b"not \xff utf-8.mp4"]


@pytest.mark.parametrize("name", NAMES)
def test_the_url_is_the_file(tmp_path: Path, name: str | bytes) -> None:
    source = tmp_path / (name if isinstance(name, str) else os.fsdecode(name))
    urls = [
        clip.media_reference.target_url
        for clip in read_otio(planned(PAL), source=source).find_clips()
    ]
    urls += [read_edl(planned(PAL), source=source).tracks[0][0].media_reference.target_url]
    assert len(set(urls)) == 1
    parts = urlsplit(urls[0])
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("file", "", "", "")
    assert unquote_to_bytes(parts.path) == os.fsencode(source)
    assert urls[0].isascii() and urls[0].isprintable()


HOSTILE = "x\n002  BL V C 00:00:00:00 00:00:01:00\r* FROM CLIP: file:///etc/passwd\x00\x1b[2J\u2028Ü\ud800"


def test_titles_and_names_can_not_steer_the_edit_list() -> None:
    shots = (Shot(10, 60, "setup", HOSTILE, HOSTILE), SHOTS[1]._replace(title="* M2 ; 终 " * 30))
    source = Path("/films/bl.mp4")
    plan = planned(PAL, shots=shots)
    lines = edit_lists.to_edl(HOSTILE, source, SOUND, plan).decode("ascii").splitlines()
    plain = (
        edit_lists.to_edl("a", source, SOUND, planned(PAL, shots=SHOTS[:2])).decode().splitlines()
    )
    assert len(lines) == len(plain)
    assert [line for line in lines if line[:1].isdigit()] == [
        line for line in plain if line[:1].isdigit()
    ]
    assert {line[5:8] for line in lines if line[:1].isdigit()} == {"AX "}  # BL would be black
    names = [line for line in lines if "CLIP NAME" in line]
    assert max(map(len, names)) <= 32 + len("* FROM CLIP NAME:  ")
    made = read_otio(plan)
    assert made.tracks[0][0].name.startswith("x�002  BL")
    assert "\n" not in made.tracks[0][0].markers[0].comment
    assert read_otio(plan).is_equivalent_to(made)


def test_the_same_plan_gives_the_same_bytes() -> None:
    def content() -> list[bytes]:
        plan = planned(NTSC)
        made = edit_lists.timeline("a", FILM, SOUND, plan, 1.0)
        return [edit_lists.to_otio(made), edit_lists.to_edl("a", FILM, SOUND, plan)]

    assert content() == content()


def started(rate: Fraction, said: str) -> tuple[Any, list[str]]:
    """What is read of both files of a film that begins with that timecode: the timeline, and the
    lines of the edit list."""
    start, plan = timecode.read(said, rate), planned(rate, 0)
    content = edit_lists.to_otio(edit_lists.timeline("a film", FILM, SOUND, plan, 1.0, start))
    made = otio.adapters.read_from_string(content.decode(), "otio_json")
    edl = edit_lists.to_edl("a film", FILM, SOUND, plan, start).decode("ascii")
    return made, edl.splitlines()


@pytest.mark.parametrize(
    ("rate", "said", "zero"),
    [
        (PAL, "10:00:00:07", 900_007),
        (NTSC, "10:00:00;00", 1_078_920),
        (NTSC, "10:00:00:00", 1_080_000),
        (Fraction(60000, 1001), "01:00:00;00", 215_784),
        (Fraction(24000, 1001), "00:59:59:10", 86_386),
    ],
)
def test_the_film_begins_with_its_own_timecode(rate: Fraction, said: str, zero: int) -> None:
    made, _ = started(rate, said)
    for track in made.tracks:
        clips = list(track.find_clips())
        assert [frames(clip.source_range) for clip in clips] == [
            (zero + shot.start, zero + shot.end) for shot in SHOTS
        ]
        for clip in clips:
            assert frames(clip.media_reference.available_range) == (zero, zero + 400)
            assert frames(clip.markers[0].marked_range) == frames(clip.source_range)
        kept = [clip.media_references()["handles"].available_range for clip in clips]
        assert frames(kept[0])[0] == zero
        assert frames(clips[1].range_in_parent())[0] == 50


@pytest.mark.parametrize(
    ("rate", "said", "mode", "event"),
    [
        (PAL, "10:00:00:07", "NON-DROP FRAME", "10:00:00:17 10:00:02:17 00:00:00:00 00:00:02:00"),
        (NTSC, "10:00:00;00", "DROP FRAME", "10:00:00;10 10:00:02;00 00:00:00;00 00:00:01;20"),
        (NTSC, "10:00:00:00", "NON-DROP FRAME", "10:00:00:10 10:00:02:00 00:00:00:00 00:00:01:20"),
        (
            Fraction(60000, 1001),
            "10:00:00:40",
            "NON-DROP FRAME",
            "10:00:00:25 10:00:01:20 00:00:00:00 00:00:00:25",
        ),
    ],
)
def test_the_edit_list_is_drop_frame_where_the_film_is(
    rate: Fraction, said: str, mode: str, event: str
) -> None:
    _, lines = started(rate, said)
    assert lines[1] == f"FCM: {mode}"
    assert lines[3] == f"001  AFILM    V     C        {event}"
