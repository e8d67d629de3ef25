"""Recordings that were joined end to end are read as one film by every stage.

What comes of them as a whole stands in test_kinds_of_film.py."""

import pytest

import kinds_of_film
import make_media
from reelmake.foundation.errors import StageError
from reelmake.library import config
from reelmake.media import ffmpeg, film_frames, joined, pieces, probing, scenes

TS = kinds_of_film.plain(*kinds_of_film.X264, "-c:a", "mp2")
OGG = kinds_of_film.plain("-c:v", "libtheora", "-q:v", "9", "-g", "25", "-c:a", "libvorbis")


@pytest.mark.parametrize(("suffix", "make"), [(".ts", TS), (".ogv", OGG)])
def test_the_pieces_are_the_files_that_were_joined(tmp_path, suffix, make) -> None:
    path = tmp_path / f"it's 1{suffix}"
    kinds_of_film.joined(make)(path)
    half = path.stat().st_size // 2
    found = joined.find(path)
    assert [(piece.begin, piece.end) for piece in found] == [(0, half), (half, 2 * half)]
    assert found[0].duration == pytest.approx(3)
    media = probing.probe(path)
    assert media["duration"] == pytest.approx(6, abs=0.1)
    assert pieces.of(media) == found
    made = scenes.detect(path, media, config.load({})["scenes"], ffmpeg.binary())
    assert made["frames"] == 150
    assert made["scenes"][-1]["end"] == pytest.approx(6, abs=0.05)
    with film_frames.of(path, media) as frames:
        shown = next(frames.between(4.07, 4.075))
        assert make_media.number(shown.frame.to_ndarray(format="gray")) == 26


def test_three_pieces_of_different_clocks(tmp_path) -> None:
    path, other = tmp_path / "a.ts", tmp_path / "b.ts"
    kinds_of_film.joined(TS, "-output_ts_offset", "50000")(path)
    TS(other)
    path.write_bytes(path.read_bytes() + other.read_bytes())
    found = probing.probe(path)
    assert len(found["pieces"]) == 3
    assert found["duration"] == pytest.approx(9, abs=0.1)


@pytest.mark.parametrize("name", ["h264.ts", "mpeg2.mpg", "mpeg2.vob", "theora.ogv", "h264.mp4"])
def test_a_single_recording_has_no_pieces(tmp_path, name) -> None:
    path = tmp_path / name
    kinds_of_film.CODECS[name](path)
    assert joined.find(path) == []
    assert "pieces" not in probing.probe(path)


def test_a_gap_is_no_joint(tmp_path) -> None:
    """A recorder that lost its signal for 5 s: the film's clock goes on."""
    path = tmp_path / "a.ts"
    kinds_of_film.joined(TS, "-output_ts_offset", "8")(path)
    found = probing.probe(path)
    assert "pieces" not in found
    assert found["duration"] == pytest.approx(11, abs=0.1)


def test_a_single_packet_with_a_wrong_time_is_no_joint(tmp_path) -> None:
    path = tmp_path / "a.ts"
    TS(path)
    content = bytearray(path.read_bytes())
    at = content.index(b"\0\0\1\xe0", len(content) // 2)
    content[at + 9] ^= 0x06  # the highest bits of its time: hours
    path.write_bytes(content)
    assert joined.find(path) == []


def test_a_name_that_no_list_can_hold_is_refused(tmp_path) -> None:
    path = tmp_path / "two\nlines.ts"
    kinds_of_film.joined(TS)(tmp_path / "a.ts")
    (tmp_path / "a.ts").rename(path)
    with pytest.raises(StageError, match="rename it"):
        probing.probe(path)
