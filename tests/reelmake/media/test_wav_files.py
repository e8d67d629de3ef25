"""Samples at their places."""

import os
import wave
from pathlib import Path

from reelmake.media import wav_files


def content(path: Path) -> bytes:
    with wave.open(os.fspath(path), "rb") as file:
        return file.readframes(file.getnframes())


def test_gaps_are_silence_and_overlaps_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "audio.wav"
    packets = [(2, b"aabb"), (3, b"BBcc"), (0, b"zz"), (6, b"dd")]
    assert wav_files.write(path, packets, strict=False)
    assert content(path) == b"\0\0\0\0aabbcc\0\0dd"


def test_a_strict_one_ends_at_the_first_that_does_not_follow(tmp_path: Path) -> None:
    path = tmp_path / "audio.wav"
    assert wav_files.write(path, [(0, b"aabb"), (2, b"cc")])
    assert content(path) == b"aabbcc"
    assert not wav_files.write(path, [(0, b"aabb"), (3, b"dd")])
    assert not wav_files.write(path, [(1, b"aabb")])


def test_no_packets_no_samples(tmp_path: Path) -> None:
    assert wav_files.write(tmp_path / "audio.wav", [])
    assert content(tmp_path / "audio.wav") == b""
