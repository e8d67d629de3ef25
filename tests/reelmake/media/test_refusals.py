"""What can't be decoded is left out, and what is refused is refused for its true cause."""

from collections.abc import Callable
from pathlib import Path

import pytest

import kinds_of_film
import make_media
from reelmake.editing import streams
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.library import config
from reelmake.media import boxes, decoding, ffmpeg, probing, scenes, scrambling

SILENT = ("-an",)
MP4 = (*kinds_of_film.X264, *kinds_of_film.AAC)


@pytest.fixture(scope="module")
def whole(shared) -> Callable[[str], bytes]:
    """The bytes of films of 3 s."""
    makers = {
        "a.mp4": kinds_of_film.plain(*MP4),
        "a.mov": kinds_of_film.plain(*MP4),
        "a.ts": kinds_of_film.plain(*kinds_of_film.X264, "-c:a", "mp2"),
        "a.mkv": kinds_of_film.plain(*MP4),
        "a.ogv": kinds_of_film.plain("-c:v", "libtheora", "-c:a", "libvorbis"),
        "a.wmv": kinds_of_film.plain("-c:v", "wmv2", "-c:a", "wmav2"),
        "dash.mp4": kinds_of_film.plain(
            *kinds_of_film.X264, "-an", "-movflags", "+frag_keyframe+empty_moov"
        ),
    }
    return lambda name: (
        shared(f"whole {name}", lambda folder: makers[name](folder / name)) / name
    ).read_bytes()


def renamed(content: bytes, *changes: tuple[bytes, bytes]) -> bytes:
    """The last of each in the index of an MP4 file, as something else."""
    for old, new in changes:
        at = content.rindex(old, content.index(b"moov"))
        content = content[:at] + new + content[at + len(old) :]
    return content


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(StageError) as caught:
        probing.probe(path)
    assert caught.value.kind == "input"
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        # An unknown sample entry (`ac-4`, `mha1`, `apac` to a decoder that has none of them), and
        # none at all.
        [(b"mp4a", b"xyz1"), (b"esds", b"free")],
        [(b"stsd", b"free")],
    ],
)
def test_a_film_goes_on_without_sound_that_has_no_decoder(tmp_path, whole, changes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(renamed(whole("a.mp4"), *changes))
    found = probing.probe(path)
    artifact_files.validate({"content": "0" * 64} | found, "media")
    assert [s.get("undecodable") for s in found["streams"]] == [None, "no decoder"]
    assert (found["video"], found["audio"]) == (0, None)
    assert found["duration"] == pytest.approx(3)
    for wanted in ("default", ["deu", "default"]):
        assert streams.track(path, found, wanted) is None
    with pytest.raises(StageError, match=r"0 .*can't be decoded: no decoder"):
        streams.track(path, found, 0)
    assert (
        decoding.extract_audio(path, found, "default", tmp_path / "a.wav", ffmpeg.binary()) is None
    )
    made = scenes.detect(path, found, config.load({})["scenes"], ffmpeg.binary())
    assert made["frames"] == 75


def test_a_film_goes_on_without_pictures_that_have_no_decoder(tmp_path, whole) -> None:
    path = tmp_path / "a.mp4"
    content = whole("a.mp4")
    at = content.index(b"avc1", content.index(b"moov"))
    path.write_bytes(content[:at] + b"xyz1" + content[at + 4 :])
    found = probing.probe(path)
    assert (found["video"], found["audio"]) == (None, 1)
    assert found["duration"] == pytest.approx(3, abs=0.05)


def test_a_track_that_can_be_decoded_is_chosen_before_one_that_cannot(tmp_path, whole) -> None:
    path = tmp_path / "a.mp4"
    make_media.ffmpeg(
        *("-f", "lavfi", "-i", "sine=d=2", "-f", "lavfi", "-i", "sine=d=2", "-map", "0"),
        *("-map", "1", "-metadata:s:a", "language=deu", path),
    )
    content = path.read_bytes()
    at = content.index(b"mp4a", content.index(b"moov"))
    content = content[:at] + b"xyz1" + content[at + 4 :]
    at = content.index(b"esds", at)
    path.write_bytes(content[:at] + b"free" + content[at + 4 :])
    found = probing.probe(path)
    assert [s.get("undecodable") for s in found["streams"]] == ["no decoder", None]
    for wanted in ("default", "ger", 1):
        assert streams.track(path, found, wanted)["index"] == 1


def test_nothing_that_can_be_decoded(tmp_path, whole) -> None:
    content = renamed(whole("a.mp4"), (b"mp4a", b"xyz1"), (b"esds", b"free"))
    at = content.index(b"avc1", content.index(b"moov"))
    said = refused(tmp_path / "a.mp4", content[:at] + b"xyz1" + content[at + 4 :])
    assert "nothing in it that can be decoded" in said


@pytest.mark.parametrize("tag", [b"\xe9t\xe9", b"\xff\xfe\xfd"])
def test_metadata_may_be_in_any_encoding(tmp_path, tag) -> None:
    path = tmp_path / "a.mp4"
    make_media.ffmpeg(*("-f", "lavfi", "-i", "testsrc=s=64x64:d=1", "-metadata", "title=abc", path))
    content = path.read_bytes()
    assert content.count(b"abc") == 1
    path.write_bytes(content.replace(b"abc", tag))
    assert probing.probe(path)["duration"] == 1


@pytest.mark.parametrize("kind", [b"avc1", b"mp4a"])
def test_encrypted_films(tmp_path, whole, kind) -> None:
    new = {b"avc1": b"encv", b"mp4a": b"enca"}[kind]
    content = whole("a.mp4")
    at = content.index(kind, content.index(b"stsd") if kind == b"avc1" else content.rindex(b"stsd"))
    path = tmp_path / "a.mp4"
    assert "is encrypted" in refused(path, content[:at] + new + content[at + 4 :])
    assert len(scrambling.encrypted_tracks(path, list(boxes.boxes(path)))) == 1


def element(name: str, *content: bytes) -> bytes:
    """Of Matroska, with a size of four bytes."""
    inside = b"".join(content)
    return bytes.fromhex(name) + (0x10000000 | len(inside)).to_bytes(4) + inside


def test_encrypted_matroska_films(tmp_path) -> None:
    """Its only track has a ContentEncoding that says so."""
    path = tmp_path / "a.webm"
    make_media.ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x64:d=1", "-c:v", "libvpx", path)
    content = path.read_bytes()
    tracks = content.rindex(bytes.fromhex("1654ae6b"))
    track = content.index(b"\xae", tracks + 4)
    length = 9 - content[track + 1].bit_length()  # of its size
    begin = track + 1 + length
    size = int.from_bytes(content[track + 1 : begin]) & ((1 << 7 * length) - 1)
    cipher = element("47e1", b"\5"), element("47e2", bytes(16))  # AES, and the key's name
    encoding = element("6240", element("5033", b"\1"), element("5035", *cipher))
    entry = element("ae", content[begin : begin + size], element("6d80", encoding))
    head = content[: content.index(bytes.fromhex("18538067")) + 4] + b"\x01" + b"\xff" * 7
    between = content[len(head) : tracks]
    rest = content[begin + size :]
    made = head + between + element("1654ae6b", entry) + rest
    assert "is encrypted" in refused(path, made)


def test_scrambled_broadcasts(tmp_path, whole) -> None:
    """Two bits say so in the header of each packet; what it holds is noise."""
    content = bytearray(whole("a.ts"))
    tables = {0, 0x11, 0x1000}
    for at in range(0, len(content), 188):
        pid = int.from_bytes(content[at + 1 : at + 3]) & 0x1FFF
        if pid not in tables:
            content[at + 3] |= 0x80
            content[at + 12 : at + 188] = bytes((n * 97 + at) % 251 for n in range(176))
    assert "is encrypted" in refused(tmp_path / "a.ts", bytes(content))
    (tmp_path / "clear.ts").write_bytes(whole("a.ts"))
    assert not scrambling.is_scrambled(tmp_path / "clear.ts")


def test_an_initialisation_segment(tmp_path, whole) -> None:
    content = whole("dash.mp4")
    said = refused(tmp_path / "a.mp4", content[: content.index(b"moof") - 4])
    assert "initialisation segment" in said


def test_a_reference_movie(tmp_path, whole) -> None:
    """Its index says that the media is in a file beside it."""
    content = whole("a.mov")
    index = bytearray(content[content.index(b"moov") - 4 :])
    assert index.count(b"url \0\0\0\1") + index.count(b"alis\0\0\0\1") == 2
    index = index.replace(b"url \0\0\0\1", b"url \0\0\0\0").replace(
        b"alis\0\0\0\1", b"alis\0\0\0\0"
    )
    assert "reference movie" in refused(tmp_path / "a.mov", content[:20] + bytes(index))


@pytest.mark.parametrize(
    ("name", "length", "words"),
    [
        ("a.mov", 1024, "no readable index (moov)"),
        ("a.ogv", 20, "file of Ogg"),
        ("a.mkv", 30, "file of Matroska"),
        ("a.wmv", 60, "file of ASF"),
    ],
)
def test_the_beginning_of_a_film(tmp_path, whole, name, length, words) -> None:
    assert words in refused(tmp_path / name, whole(name)[:length])


def test_the_beginning_of_an_index(tmp_path, whole) -> None:
    """A QuickTime film, of which it comes first."""
    content = whole("a.mov")
    index = content[content.index(b"moov") - 4 :]
    assert "no readable index (moov)" in refused(tmp_path / "a.mov", index[:1024])


def test_not_one_frame(tmp_path, whole) -> None:
    """The index is whole, what it points to is zeros."""
    content = whole("a.mp4")
    begin, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    path = tmp_path / "a.mp4"
    path.write_bytes(content[:begin] + bytes(end - begin) + content[end:])
    found = probing.probe(path)
    with pytest.raises(StageError, match=r"not one frame of its video \(h264\) can be decoded"):
        scenes.detect(path, found, config.load({})["scenes"], ffmpeg.binary())
    with pytest.raises(decoding.SoundError, match=r"its sound \(stream 1, aac\) can't be decoded"):
        decoding.extract_audio(path, found, "default", tmp_path / "a.wav", ffmpeg.binary())


def test_boxes_of_what_has_none(tmp_path) -> None:
    (tmp_path / "a").write_bytes(b"Dear diary, this is no film.\n" * 9)
    assert list(boxes.boxes(tmp_path / "a")) == []


def test_boxes_of_a_film(tmp_path, whole) -> None:
    (tmp_path / "a").write_bytes(whole("a.mp4"))
    found = [box.path for box in boxes.boxes(tmp_path / "a")]
    assert found[0] == "ftyp" and "moov/trak/mdia/minf/stbl/stsd/avc1" in found
    # A size that a 64-bit number says, and one that reaches to the end of the file.
    free = (1).to_bytes(4) + b"free" + (20).to_bytes(8) + b"abcd"
    (tmp_path / "b").write_bytes(free + bytes(4) + b"mdat" + b"rest")
    assert list(boxes.boxes(tmp_path / "b")) == [("free", 16, 20), ("mdat", 28, 32)]
