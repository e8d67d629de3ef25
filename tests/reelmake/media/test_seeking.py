"""What a container calls a keyframe is looked at; kinds of films stand in test_kinds_of_film.py."""

from pathlib import Path

import pytest

import kinds_of_film
import make_media
from reelmake.media import film_frames, probing, seeking


@pytest.mark.parametrize("name", ["false keyframe.mp4", "all keyframes.avi"])
def test_a_container_that_lies_is_read_from_the_beginning(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    kinds_of_film.KINDS[name](path)
    media = probing.probe(path)
    with film_frames.of(path, media) as frames:
        place, ticks = frames.times(1.6, 2.0)
        assert place == 0 or (name.startswith("false") and place < 1.56)
        assert ticks[0] == 0
        shown = list(frames.between(1.6, 1.7))
        numbers = [make_media.number(one.frame.to_ndarray(format="gray")) for one in shown]
        # AVI's frames have no times: they go by those of the packets that release them.
        assert numbers in ([40, 41, 42], [39, 40, 41])


def test_an_ordinary_film_is_sought_in(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    kinds_of_film.CODECS["h264.mp4"](path)
    with film_frames.of(path, probing.probe(path)) as frames:
        place, ticks = frames.times(2.0, 2.1)
        assert (place, ticks[0]) != (0, 0)


def test_early_444_needs_the_first_frame(tmp_path: Path) -> None:
    """x264 before version 151 wrote 4:4:4 of which only the first frame says how to decode it."""
    path = tmp_path / "a.mp4"
    options = (*kinds_of_film.X264[:-1], "yuv444p", "-x264-params", "8x8dct=1:cabac=1:keyint=25")
    graph = "testsrc2=s=320x180:r=25:d=3,noise=alls=20:allf=t"
    make_media.ffmpeg("-f", "lavfi", "-i", graph, *options, "-preset", "medium", path)
    media = probing.probe(path)
    assert seeking.is_doubtful(media)
    assert "seekable" not in media["streams"][0]
    content = path.read_bytes()
    mark = content.index(b"x264 - core ")
    # As if by an early version: decoders take the later frames' blocks for others, from the
    # second keyframe on only where they haven't read this.
    path.write_bytes(content[: mark + 12] + b"142" + content[mark + 15 :])
    media = probing.probe(path)
    assert media["streams"][0]["seekable"] is False
    with film_frames.of(path, media) as frames:
        assert frames.times(2.0, 2.1)[0] == 0
