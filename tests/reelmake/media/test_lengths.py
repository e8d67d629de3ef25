"""How long films are that say something else; most kinds stand in test_kinds_of_film.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

import kinds_of_film
import make_media
from reelmake.foundation.errors import StageError
from reelmake.media import probing

Film = Callable[[str], Path]


@pytest.mark.parametrize("name", ["whole.avi", "whole.flv", "whole.mkv", "fragments.mp4"])
def test_an_ordinary_film_keeps_what_its_header_says(film: Film, name: str) -> None:
    assert probing.probe(film(name))["duration"] == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("suffix", [".mkv", ".flv", ".asf", ".avi", ".mp4"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_film_that_is_cut_off_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"cut{suffix}"
    codec = ("-c:v", "wmv2", "-c:a", "wmav2") if suffix == ".asf" else ("-movflags", "+faststart")
    make_media.ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=30", "-f", "lavfi", "-i", "sine=d=30"),
        *(*make_media.H264, *codec, path),
    )
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StageError, match="cut off"):
        probing.probe(path)


def test_a_film_whose_subtitles_outlast_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    kinds_of_film.subtitled("10:00:00,000")(path)
    found = probing.probe(path)
    assert found["duration"] == pytest.approx(3, abs=0.1)
    assert [s["duration"] for s in found["streams"]] == pytest.approx([3, 3, 36000], abs=0.1)


def test_a_whole_flash_film_of_wrong_duration_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.flv"
    kinds_of_film.plain(*kinds_of_film.X264, *kinds_of_film.AAC)(path)
    content = bytearray(path.read_bytes())
    at = content.index(b"duration") + 9
    content[at : at + 8] = bytes.fromhex("4082c00000000000")  # 600.0
    path.write_bytes(content)
    assert probing.probe(path)["duration"] == pytest.approx(3, abs=0.1)
