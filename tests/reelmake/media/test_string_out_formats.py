"""What editors read of a string-out: every format, read again and compared to the frame."""

import re
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from xml.etree import ElementTree

import opentimelineio as otio
import pytest

from reelmake.editing import timecode
from reelmake.editing.frame_rate import Cadence
from reelmake.editing.string_out import Film, Moment
from reelmake.editing.timecode import Timecode
from reelmake.foundation.errors import UserError
from reelmake.media import edl, string_out_formats
from reelmake.media.string_out_formats import FORMATS

FILM, NTSC, NTSC60 = (Fraction(base * 1000, 1001) for base in (24, 30, 60))
PAL = Fraction(25)
STARTS = [
    (FILM, None),
    (FILM, "00:59:59:23"),
    (Fraction(24), "10:00:00:00"),
    (PAL, None),
    (PAL, "10:00:00:07"),
    (NTSC, None),
    (NTSC, "10:00:00;00"),
    (NTSC, "10:00:00:00"),
    (Fraction(30), "01:00:00:00"),
    (Fraction(50), "10:00:00:31"),
    (NTSC60, "10:00:00;00"),
    (NTSC60, "10:00:00:40"),
    (Fraction(60), None),
]
SPANS = [(10, 61), (100, 175), (100, 175), (300, 351)]
"""In frames; two are alike."""


def film(rate: Fraction, start: str | None = None, name: str = "A film.mov") -> Film:
    begins = timecode.read(start, rate) if start else None
    return Film(Path("/films") / name, Cadence(rate, 400), begins, (1920, 1080), 2, 48000)


def moments(of: Film) -> list[Moment]:
    return [
        Moment(of.source, float(start / of.rate), float(end / of.rate), f"M{n}", f"why {n}")
        for n, (start, end) in enumerate(SPANS)
    ]


def write(of: Film, format: str, layout: str = "cuts") -> bytes:
    return string_out_formats.write("a name", moments(of), {of.source: of}, format, layout)


def read(content: bytes, adapter: str, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the adapters' own making
        return otio.adapters.read_from_string(content.decode(), adapter, **options)


def frames(time_range: Any) -> tuple[int, int]:
    ends = time_range.start_time.value, time_range.end_time_exclusive().value
    assert all(abs(end - round(end)) < 1e-3 for end in ends)
    return round(ends[0]), round(ends[1])


def wanted(of: Film, scale: Fraction = Fraction(1)) -> list[tuple[int, int]]:
    def number(frame: int) -> int:
        return round((of.zero + frame) * scale)

    return [(number(start), number(end)) for start, end in SPANS]


def clips(made: Any) -> list[Any]:
    return list(made.tracks[0].find_clips())


def fractions(root: ElementTree.Element, tag: str) -> Iterator[dict[str, Any]]:
    """Of each such element of FCPXML its attributes, times as exact seconds."""
    for element in root.iter(tag):
        yield {
            name: Fraction(value[:-1]) if re.fullmatch(r"\d+(/\d+)?s", value) else value
            for name, value in element.attrib.items()
        }


@pytest.mark.parametrize(("rate", "start"), STARTS)
def test_otio_has_each_film_in_its_own_rate_and_timecode(rate: Fraction, start: str | None) -> None:
    of = film(rate, start)
    made = read(write(of, "otio"), "otio_json")
    assert [track.kind for track in made.tracks] == ["Video", "Audio"]
    for track in made.tracks:
        found = list(track.find_clips())
        assert [frames(clip.source_range) for clip in found] == wanted(of)
        assert {clip.source_range.start_time.rate for clip in found} == {float(rate)}
        for clip in found:
            whole = clip.media_reference.available_range
            assert frames(whole) == (of.zero, of.zero + 400)
    assert [clip.name for clip in found] == ["M0", "M1", "M2", "M3"]
    assert frames(found[-1].range_in_parent()) == (51 + 75 + 75, 51 + 75 + 75 + 51)
    made = read(write(of, "otio", "markers"), "otio_json")
    (clip,) = clips(made)
    assert [frames(marker.marked_range) for marker in clip.markers] == wanted(of)
    assert (clip.markers[0].name, clip.markers[0].comment) == ("M0", "why 0")
    assert made.global_start_time.value == of.zero


@pytest.mark.parametrize(("rate", "start"), STARTS)
def test_edl_has_the_frames(rate: Fraction, start: str | None) -> None:
    of = film(rate, start)
    counted = edl.edl_rate(rate)
    content = write(of, "edl")
    made = read(content, "cmx_3600", rate=float(counted))
    found = [frames(clip.source_range) for clip in clips(made)]
    if counted == rate:
        assert found == wanted(of)
    for (begin, end), (first, last) in zip(found, wanted(of, counted / rate), strict=True):
        assert abs(begin - first) <= 1 and abs(end - last) <= 1  # every second frame of the film's
    drop = start is not None and ";" in start
    assert (b"FCM: DROP FRAME" in content) == drop
    assert (b";" in content) == drop
    assert {clip.media_reference.target_url for clip in clips(made)} == {
        "file:///films/A%20film.mov"
    }


def test_edl_of_drop_frame_is_written_as_editors_write_it() -> None:
    lines = write(film(NTSC, "10:00:00;00"), "edl").decode().splitlines()
    assert lines[:4] == [
        "TITLE: a name",
        "FCM: DROP FRAME",
        "",
        "001  AFILM    V     C        10:00:00;10 10:00:02;01 00:00:00;00 00:00:01;21",
    ]
    assert lines[4:7] == [
        "* FROM CLIP NAME:  A film.mov",
        "* FROM CLIP: file:///films/A%20film.mov",
        "* COMMENT: M0 why 0",
    ]


def test_edl_has_markers_at_the_timecode_of_film_and_timeline() -> None:
    content = write(film(PAL, "10:00:00:07"), "edl", "markers")
    assert content.count(b"V     C") == 1
    assert b"10:00:00:07 10:00:16:07 10:00:00:07 10:00:16:07" in content
    made = read(content, "cmx_3600", rate=25)
    (clip,) = clips(made)
    starts = [marker.marked_range.start_time.value for marker in clip.markers]
    assert starts == [900_007 + start for start, _ in SPANS]
    assert clip.markers[0].name == "M0 why 0"


def test_edl_markers_of_drop_frame_count_as_its_timecode() -> None:
    # At the first minute two labels are dropped: frame 1800 is 10:01:00;02.
    of = film(NTSC, "10:00:50;00")
    lines = write(of, "edl", "markers").decode().splitlines()
    found = [line.split()[2] for line in lines if line.startswith("* LOC: ")]
    assert found == ["10:00:50;10", "10:00:53;10", "10:00:53;10", "10:01:00;02"]


@pytest.mark.parametrize(("rate", "start"), STARTS)
def test_fcp7_xml_has_the_frames(rate: Fraction, start: str | None) -> None:
    of = film(rate, start)
    content = write(of, "fcp7")
    made = read(content, "fcp_xml")
    assert [track.kind for track in made.tracks] == ["Video", "Audio", "Audio"]
    for track in made.tracks:
        found = list(track.find_clips())
        assert [frames(clip.source_range) for clip in found] == wanted(of)
        assert [clip.name for clip in found] == ["M0", "M1", "M2", "M3"]
        assert frames(found[-1].range_in_parent()) == (201, 252)
    root = ElementTree.fromstring(content)
    assert [item.findtext("in") for item in root.iter("clipitem")][:4] == [
        "10",
        "100",
        "100",
        "300",
    ]
    (file,) = [file for file in root.iter("file") if len(file)]
    assert file.findtext("timecode/string") == (start or "00:00:00:00")
    assert file.findtext("timecode/frame") == str(of.zero)
    assert file.findtext("timecode/displayformat") == ("DF" if start and ";" in start else "NDF")
    assert file.findtext("rate/timebase") == str(round(rate))
    assert file.findtext("rate/ntsc") == ("TRUE" if rate.denominator > 1 else "FALSE")
    ids = [item.get("id") for item in root.iter("clipitem")]
    assert len(set(ids)) == 12
    assert {link.text for link in root.iter("linkclipref")} == set(ids)


def test_fcp7_xml_has_markers_on_the_timeline() -> None:
    made = read(write(film(NTSC, "10:00:00;00"), "fcp7", "markers"), "fcp_xml")
    assert [frames(marker.marked_range) for marker in made.tracks.markers] == SPANS
    assert made.global_start_time.value == 1_078_920
    assert made.tracks.markers[0].metadata["fcp_xml"]["comment"] == "why 0"


@pytest.mark.parametrize(("rate", "start"), STARTS)
def test_fcpxml_has_the_frames(rate: Fraction, start: str | None) -> None:
    of = film(rate, start)
    content = write(of, "fcpxml")
    root = ElementTree.fromstring(content)
    found = list(fractions(root, "asset-clip"))
    assert [clip["start"] * rate for clip in found] == [start for start, _ in wanted(of)]
    assert [clip["duration"] * rate for clip in found] == [51, 75, 75, 51]
    assert [clip["offset"] * rate for clip in found] == [0, 51, 126, 201]
    (asset,) = fractions(root, "asset")
    assert (asset["start"] * rate, asset["duration"] * rate) == (of.zero, 400)
    assert {form["frameDuration"] for form in fractions(root, "format")} == {1 / rate}
    (sequence,) = fractions(root, "sequence")
    assert sequence["tcFormat"] == ("DF" if start and ";" in start else "NDF")
    if rate.denominator == 1:  # the adapter takes 23.976 for 23, and cuts fractions off
        (made,) = read(content, "fcpx_xml")
        for clip, (first, last) in zip(clips(made), wanted(of), strict=True):
            begin, end = frames(clip.source_range)
            assert abs(begin - first) <= 1 and abs(end - last) <= 1
            assert clip.media_reference.target_url == "file:///films/A%20film.mov"


def test_fcpxml_has_markers_in_the_films_time() -> None:
    of = film(NTSC, "10:00:00;00")
    root = ElementTree.fromstring(write(of, "fcpxml", "markers"))
    found = list(fractions(root, "marker"))
    assert [marker["start"] * NTSC for marker in found] == [start for start, _ in wanted(of)]
    (clip,) = fractions(root, "asset-clip")
    assert clip["start"] == clip["offset"] == of.zero / NTSC


def test_films_of_different_rates_are_on_one_timeline() -> None:
    one, two = film(PAL, "10:00:00:00", "one.mov"), film(FILM, "01:00:00:00", "two.mov")
    films = {each.source: each for each in (one, two)}
    chosen = [*moments(one), *moments(two)[:1]]
    root = ElementTree.fromstring(string_out_formats.write("x", chosen, films, "fcpxml"))
    last = [*fractions(root, "asset-clip")][-1]
    assert last["start"] * FILM == two.zero + 10
    assert (last["duration"] * 25).denominator == 1  # on a frame of the timeline
    assert [rate.get("srcFrameRate") for rate in root.iter("conform-rate")] == ["23.98"]
    root = ElementTree.fromstring(string_out_formats.write("x", chosen, films, "fcp7"))
    item = [*root.iter("clipitem")][4]
    assert [item.findtext(tag) for tag in ("in", "out", "rate/timebase")] == ["10", "61", "24"]
    assert [item.findtext(tag) for tag in ("start", "end")] == ["252", "305"]
    made = otio.adapters.read_from_string(
        string_out_formats.write("x", chosen, films, "otio").decode(), "otio_json"
    )
    assert clips(made)[4].source_range.start_time.rate == float(FILM)
    with pytest.raises(UserError, match=r"two\.mov has another \(23\.976\) than most \(25\)"):
        string_out_formats.write("x", chosen, films, "edl")


def test_an_edit_list_holds_drop_frame_or_not() -> None:
    films = {f.source: f for f in (film(NTSC, "01:00:00;00", "a"), film(NTSC, "01:00:00:00", "b"))}
    chosen = [Moment(source, 0, 1, "m") for source in films]
    with pytest.raises(UserError, match="drop-frame"):
        string_out_formats.write("x", chosen, films, "edl")


def test_tapes_of_an_edit_list_have_names_of_their_own() -> None:
    films = {f.source: f for f in (film(PAL, name=f"HOLIDAY 2019 {n}.mov") for n in range(12))}
    chosen = [Moment(source, 0, 1, "m") for source in films]
    lines = string_out_formats.write("x", chosen, films, "edl").decode().splitlines()
    reels = [line.split()[1] for line in lines if line[:1].isdigit()]
    assert len(set(reels)) == 12 and max(map(len, reels)) == 8


@pytest.mark.parametrize("format", FORMATS)
def test_a_film_without_pictures_or_sound_has_no_track_of_them(format: str) -> None:
    for size, channels in ((None, 1), ((64, 36), 0)):
        of = Film(Path("/f/a.wav"), Cadence(PAL, 400), None, size, channels, 48000)
        content = string_out_formats.write("x", moments(of), {of.source: of}, format)
        if format == "edl":
            assert (b"V     C" in content) == bool(size)
        elif format == "otio":
            made = read(content, "otio_json")
            kinds = [track.kind for track in made.tracks]
            assert kinds == (["Video"] if size else ["Audio"])
        else:
            root = ElementTree.fromstring(content)
            assert bool(root.findall(".//*[@hasVideo]") or root.findall(".//video")) == bool(size)
            assert bool(root.findall(".//*[@hasAudio]") or root.findall(".//audio")) == bool(
                channels
            )


FAMILY = "\U0001f469\u200d\U0001f467"
"""An emoji that is joined of two."""

HOSTILE = (
    "x]]><a b='c'>&\n002  BL V C 00:00:00:00 00:00:01:00\r* LOC: "
    f"\x00\x1b[2J\u202e\u2028\ufffe\ud800{FAMILY}终"
)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("layout", ["cuts", "markers"])
def test_names_can_not_steer_a_file(format: str, layout: str) -> None:
    def content(said: str, name: str) -> bytes:
        of = film(PAL, name=name)
        chosen = [Moment(of.source, 1, 2, said, said), Moment(of.source, 1, 2, said, said)]
        return string_out_formats.write(said, chosen, {of.source: of}, format, layout)

    bad, good = content(HOSTILE, f"{HOSTILE[:20].replace('/', '')}.mov"), content("a", "a.mov")
    assert bad.count(b"\n") == good.count(b"\n")
    text = bad.decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\u2028\ufffe]", text)
    if format == "edl":
        assert text.isascii()
        events, plain = (
            [each[:5] + each[13:] for each in content.splitlines() if each[:1].isdigit()]
            for content in (text, good.decode())
        )
        assert events == plain
    elif format == "otio":
        made = read(bad, "otio_json")
        (clip, *_) = clips(made)
        said = clip.name if layout == "cuts" else clip.markers[0].name
        assert f"{FAMILY}终" in said
    else:
        tags = [element.tag for element in ElementTree.fromstring(bad).iter()]
        assert tags == [element.tag for element in ElementTree.fromstring(good).iter()]
        assert f"{FAMILY}终" in text and "]]&gt;&lt;a" in text


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "name", ['it\'s 100%d "so".mov', "a&b?c#d;<e>.mov", "🎬 ñ\n.mov", "]]>.mov"]
)
def test_the_address_is_the_film(format: str, name: str) -> None:
    of = film(PAL, name=name)
    text = write(of, format).decode()
    if format in ("fcp7", "fcpxml"):
        root = ElementTree.fromstring(text)
        (address,) = [e.text for e in root.iter("pathurl")] or [
            e.get("src") for e in root.iter("asset")
        ]
    else:
        address = re.findall(r"file:[^\"\s]+", text)[0]
    assert address is not None and address.isascii()
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("file", "", "", "")
    assert unquote_to_bytes(parts.path).decode() == str(of.source)


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_moments_give_the_same_bytes(format: str) -> None:
    assert write(film(NTSC), format) == write(film(NTSC), format)


def test_a_timecode_that_counts_every_second_frame_is_that_of_the_film() -> None:
    of = film(NTSC60)
    begins = Timecode(1_080_015, NTSC, False)
    of = Film(of.source, of.cadence, begins, of.size, of.channels, of.sample_rate)
    root = ElementTree.fromstring(write(of, "fcp7"))
    assert root.findtext(".//file/timecode/string") == "10:00:00:30"
