"""Whether browsers can play a film, by its container and codecs."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

# What Chromium, Firefox and Safari all play, or at least two of them. Chromium opens some more
# Matroska than it says, HEVC depends on the machine: nobody can rely on either.
_MP4 = ("mov", "mp4", "m4a", "3gp", "3g2", "mj2")
_VIDEO = {
    "mp4": {"h264", "av1", "vp9"},
    "webm": {"vp8", "vp9", "av1"},
}
_AUDIO = {
    "mp4": {"aac", "mp3", "opus", "flac"},
    "webm": {"opus", "vorbis"},
    "mp3": {"mp3"},
    "ogg": {"opus", "vorbis", "flac"},
    "wav": {"pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_f32le"},
    "flac": {"flac"},
    "aac": {"aac"},
}
_PIXELS = {"yuv420p", "yuvj420p"}
"""Of H.264: 10 bit and 4:2:2 are for cameras and editors."""

_TYPES = {
    ("mp4", "video"): "video/mp4",
    ("mp4", "audio"): "audio/mp4",
    ("webm", "video"): "video/webm",
    ("webm", "audio"): "audio/webm",
    ("mp3", "audio"): "audio/mpeg",
    ("ogg", "audio"): "audio/ogg",
    ("wav", "audio"): "audio/wav",
    ("flac", "audio"): "audio/flac",
    ("aac", "audio"): "audio/aac",
}
_NAMES = {
    "matroska": "Matroska (MKV)",
    "avi": "AVI",
    "mpegts": "MPEG transport streams",
    "mpeg": "MPEG program streams",
    "asf": "Windows Media",
    "flv": "Flash video",
    "h264": "H.264",
    "hevc": "HEVC (H.265)",
    "av1": "AV1",
    "vp8": "VP8",
    "vp9": "VP9",
    "aac": "AAC",
    "mp3": "MP3",
    "opus": "Opus",
    "vorbis": "Vorbis",
    "flac": "FLAC",
    "mpeg1video": "MPEG-1",
    "mpeg2video": "MPEG-2",
    "mpeg4": "MPEG-4 Part 2 (DivX, Xvid)",
    "prores": "ProRes",
    "dnxhd": "DNxHD",
    "theora": "Theora",
    "ac3": "Dolby Digital (AC-3)",
    "eac3": "Dolby Digital Plus",
    "dts": "DTS",
    "truehd": "Dolby TrueHD",
}


class Player(NamedTuple):
    """kind: video, audio, or empty where browsers can't play it. type: its media type. why: the
    reason, where they can't, for people."""

    kind: str
    type: str
    why: str


def player(media: Mapping[str, Any], name: str) -> Player:
    """What a browser needs to play a film.

    media: the content of media.json, which may be empty. name: of its file, whose extension tells
    WebM from Matroska.
    """
    streams = streams_of(media)
    picture = _stream(streams, media.get("video"))
    sound = _stream(streams, media.get("audio"))
    if picture is None and sound is None:
        return Player("", "", "Nothing is known of its picture and sound yet.")
    kind = "audio" if picture is None else "video"
    family = _family(str(media.get("container") or ""), name)
    if (family, kind) not in _TYPES:
        return _refused(str(media.get("container") or "").partition(",")[0] or "this format")
    if picture is not None:
        codec = picture.get("codec")
        pixels = picture.get("pixel_format")
        if codec not in _VIDEO[family]:
            return _refused(codec)
        if codec == "h264" and pixels not in (*_PIXELS, None):
            return _refused(codec, f" of this kind ({pixels})")
    if sound is not None and sound.get("codec") not in _AUDIO[family]:
        return _refused(sound.get("codec"))
    return Player(kind, _TYPES[family, kind], "")


def streams_of(media: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The streams of a media.json that somebody may have edited."""
    listed = media.get("streams")
    found = listed if isinstance(listed, list) else []
    return [each for each in found if isinstance(each, dict)]


def codec_name(codec: Any) -> str:
    """A codec or container as people call it."""
    return _NAMES.get(str(codec), str(codec))


def _refused(what: Any, more: str = "") -> Player:
    return Player("", "", f"Browsers can't be relied on to play {codec_name(what)}{more}.")


def _stream(streams: list[dict[str, Any]], index: Any) -> dict[str, Any] | None:
    if index is None:
        return None
    return next((each for each in streams if each.get("index") == index), None)


def _family(container: str, name: str) -> str:
    names = container.split(",")
    if "matroska" in names or "webm" in names:
        is_webm = PurePosixPath(name).suffix.lower() in (".webm", ".weba") or names == ["webm"]
        return "webm" if is_webm else ""
    if set(names) & set(_MP4):
        return "mp4"
    return names[0]
