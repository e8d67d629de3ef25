"""What browsers play, by container and codecs."""

import pytest

from reelmake.pages import playable

H264 = {"index": 0, "type": "video", "codec": "h264", "pixel_format": "yuv420p"}
MP4, MKV = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"


def media(container, video=None, audio=None, **changes):
    streams = [{"index": 0, "codec": video, "pixel_format": "yuv420p"} | changes] if video else []
    streams += [{"index": 1, "codec": audio}] if audio else []
    return {
        "container": container,
        "streams": streams,
        "video": 0 if video else None,
        "audio": 1 if audio else None,
    }


@pytest.mark.parametrize(
    ("found", "name", "kind", "type"),
    [
        (media(MP4, "h264", "aac"), "a.mp4", "video", "video/mp4"),
        (media(MP4, "h264"), "a.MOV", "video", "video/mp4"),
        (media(MP4, "av1", "opus"), "a.mp4", "video", "video/mp4"),
        (media(MKV, "vp9", "opus"), "a.webm", "video", "video/webm"),
        (media(MP4, None, "aac"), "a.m4a", "audio", "audio/mp4"),
        (media("mp3", None, "mp3"), "a.mp3", "audio", "audio/mpeg"),
        (media("wav", None, "pcm_s16le"), "a.wav", "audio", "audio/wav"),
    ],
)
def test_what_plays(found, name, kind, type):
    assert playable.player(found, name) == (kind, type, "")


@pytest.mark.parametrize(
    ("found", "name", "said"),
    [
        (media(MKV, "h264", "aac"), "a.mkv", "Matroska"),
        (media(MKV, "h264", "aac"), "a.webm", "H.264"),
        (media(MP4, "hevc", "aac"), "a.mp4", "HEVC"),
        (media(MP4, "h264", "ac3"), "a.mp4", "AC-3"),
        (media(MP4, "h264", "aac", pixel_format="yuv420p10le"), "a.mp4", "yuv420p10le"),
        (media("mpegts", "mpeg2video", "mp2"), "a.ts", "MPEG transport"),
        (media("avi", "mpeg4", "mp3"), "a.avi", "AVI"),
        (media("", None, None), "a.mp4", "Nothing is known"),
        ({}, "a.mp4", "Nothing is known"),
        ({"container": [], "streams": 3, "video": "a", "audio": {}}, "a.mp4", "Nothing is known"),
        ({"container": 7, "streams": [None, 3], "video": 0}, "a.mp4", "Nothing is known"),
    ],
)
def test_what_does_not_play_is_said(found, name, said):
    player = playable.player(found, name)
    assert (player.kind, player.type) == ("", "")
    assert said in player.why
