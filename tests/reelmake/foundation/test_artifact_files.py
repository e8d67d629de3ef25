"""Artifacts appear whole or not at all."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from reelmake.foundation import artifact_files

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    artifact_files.write_json(path, {"old": 1})
    with pytest.raises(RuntimeError), artifact_files.writing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert artifact_files.read_json(path) == {"old": 1}
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_kill_leaves_nothing_under_the_name_and_the_next_writer_cleans_up(tmp_path):
    path = tmp_path / "a.json"
    code = f"""
        import os, signal
        from pathlib import Path
        from reelmake.foundation import artifact_files
        with artifact_files.writing(Path({str(path)!r})) as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    killed = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(SCRIPTS)})
    assert killed.returncode == -signal.SIGKILL
    assert not path.exists()
    assert len(os.listdir(tmp_path)) == 1
    artifact_files.write_json(path, {})
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_folder_is_replaced_whole(tmp_path):
    folder = tmp_path / "keyframes"
    for names in (["1", "2"], ["3"]):
        with artifact_files.writing(folder) as temporary:
            temporary.mkdir()
            for name in names:
                (temporary / name).touch()
    assert os.listdir(folder) == ["3"]
    assert os.listdir(tmp_path) == ["keyframes"]


def test_what_is_not_valid_is_not_written(tmp_path):
    path = tmp_path / "transcript.json"
    with pytest.raises(ValueError, match="transcript"):
        artifact_files.write_json(path, {"segments": []}, "transcript")
    with pytest.raises(ValueError):
        artifact_files.write_json(path, float("nan"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", [None, b"", b'{"a": 1', b"\xff\xfe"])
def test_an_unreadable_file_is_as_good_as_absent(tmp_path, content):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    assert artifact_files.read_json(path) is None


def test_a_name_that_is_not_utf8_survives(tmp_path):
    path = tmp_path / "a.json"
    artifact_files.write_json(path, {"path": "f\udcffilm é"})
    assert artifact_files.read_json(path) == {"path": "f\udcffilm é"}


def test_a_file_never_takes_the_place_of_a_folder(tmp_path):
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "one.mp4").write_bytes(b"film")
    with pytest.raises(OSError, match="films"):
        artifact_files.write_bytes(tmp_path / "films", b"a list")
    assert (tmp_path / "films" / "one.mp4").read_bytes() == b"film"
    assert [path.name for path in tmp_path.iterdir()] == ["films"]
