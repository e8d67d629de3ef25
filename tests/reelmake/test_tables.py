"""A library's results as tables: what the artifacts say, in documented columns."""

import csv
import io
import json
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

from reelmake import tables
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import UserError
from reelmake.library import scene_descriptions
from reelmake.library.scene_descriptions import FIELDS
from reelmake.reel import export_command, main
from reelmake.tables import columns

HOSTILE = [
    '=HYPERLINK("http://example.org","x")',
    "+1",
    "-1+2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    'a "quote", a comma\nand a line',
    "\u202eright to left",
    "\0",
    "half \ud800",
]
SEGMENT = {"avg_logprob": -0.5, "no_speech_prob": 0.0, "compression_ratio": 1.0, "words": []}


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Two videos in results/: one whole, one whose artifacts are damaged or missing."""
    monkeypatch.chdir(tmp_path)
    one = tmp_path / "results" / "one"
    segments = [
        {"id": n, "start": float(n), "end": n + 1.0, "text": text, **SEGMENT}
        for n, text in enumerate(HOSTILE)
    ]
    segments[0]["words"] = [{"word": "hi", "start": 0.1, "end": 0.4, "probability": 0.9}]
    artifact_files.write_json(one / "transcript.json", {"language": "en", "segments": segments})
    candidates = [
        {"id": 0, "start": 0.0, "end": 4.0, "text": "a"},
        {"id": 1, "start": 5.0, "end": 9.0, "text": "b"},
    ]
    artifact_files.write_json(one / "segments.json", {"segments": candidates})
    scores = [{"id": 0, "score": 7, "reason": "good"}, {"id": 1, "score": None, "reason": None}]
    artifact_files.write_json(one / "scores.json", {"scores": scores})
    chosen = [candidates[0] | scores[0]]
    artifact_files.write_json(one / "highlights.json", {"highlights": chosen})
    record = {"state": "done", "started": 1_700_000_000.5, "ended": 1_700_000_002.0, "key": "k"}
    artifact_files.write_json(one / "jobs" / "scores.json", record | {"made": {"bytes": 5}})
    metadata = {"source_file": "a", "mtime": 0, "size": 1, "key": "0" * 64, "model": "a"}
    metadata |= {"mmproj": "b", "prompt": "c", "frames": 2, "failed": 1}
    frame = {"scene_id": 0, "frame": 37, "timestamp": 1.48, "file": "a.jpg", "sharpness": 1.5}
    frame |= {"width": 64, "height": 36, "faces": None}
    seen = [dict.fromkeys(FIELDS, "a ball"), None]
    described = [{"record": frame, "description": each} for each in seen]
    scene_descriptions.write(one / "one.scenedesc.msgpack", metadata, described)
    artifact_files.write_json(one / "keyframes.json", {"keyframes": [frame]})
    box = {"left": 0.1, "top": 0.8, "width": 0.5, "height": 0.1}
    line = {"id": 0, "start": 1.48, "end": 2.0, "text": "=1+1", "kind": "caption", "frames": 2}
    line |= {"confidence": 0.9, "box": box}
    artifact_files.write_json(one / "onscreen.json", {"lines": [line]})
    two = tmp_path / "results" / "two"
    two.mkdir()
    (two / "transcript.json").write_text("{")
    (two / "scenes.json").write_text('{"scenes": [1, {"id": "x", "start": "soon", "end": 2}]}')
    return tmp_path / "results"


@pytest.mark.parametrize("table", columns.TABLES)
def test_columns_and_dtypes_are_as_declared_in_an_empty_library_too(library, table, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (library, tmp_path / "empty"):
        frame = getattr(tables, table)(folder)
        declared = {column.name: column.dtype for column in columns.TABLES[table]}
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == declared
    assert len(frame) == 0


def test_what_the_artifacts_say(library):
    segments = tables.segments()
    assert list(segments["text"])[:9] == HOSTILE[:9]
    assert segments["text"].iloc[9] == "half ?"
    assert list(tables.words().iloc[0])[:6] == ["one", 0, 0.1, 0.4, "hi", 0.9]
    scores = tables.scores()
    assert list(scores["candidate"]) == [0, 1]
    assert scores["score"].iloc[0] == 7 and pd.isna(scores["score"].iloc[1])
    assert list(tables.highlights()["reason"]) == ["good"]
    assert tables.keyframes()["time"].iloc[0] == 1.48
    assert list(tables.onscreen_texts().iloc[0]) == [
        *("one", 0, 1.48, 2.0, "=1+1", "caption", 2, 0.9, 0.1, 0.8, 0.5, 0.1)
    ]
    described = tables.descriptions()
    assert described["mood"].iloc[0] == "a ball" and pd.isna(described["mood"].iloc[1])
    jobs = tables.jobs()
    assert str(jobs["started"].iloc[0]) == "2023-11-14 22:13:20.500000+00:00"
    assert (jobs["stage"].iloc[0], jobs["bytes"].iloc[0]) == ("scores", 5)
    assert list(tables.videos()["video"]) == ["one"]
    assert tables.videos()["state"].iloc[0] == "done"


def test_what_is_damaged_is_left_out(library):
    scenes = tables.scenes(videos=["two"])
    assert len(scenes) == 1
    assert pd.isna(scenes["scene"].iloc[0]) and np.isnan(scenes["start"].iloc[0])
    assert scenes["end"].iloc[0] == 2
    assert len(tables.segments(videos="two")) == 0


def test_what_is_not_there_is_said(library):
    with pytest.raises(UserError, match=r"no video 'on' \(did you mean 'one'"):
        tables.segments(videos=["on"])
    with pytest.raises(UserError, match="no such folder"):
        tables.segments("elsewhere")
    with pytest.raises(UserError, match=r"no table 'word' \(did you mean 'words'"):
        tables.read("word")


def exported(capsys, *args: str) -> str:
    assert main.main(["export", *args]) == 0
    return capsys.readouterr().out


def test_csv_that_a_spreadsheet_opens_runs_no_formula(library, capsys):
    rows = list(csv.DictReader(io.StringIO(exported(capsys, "segments"), newline="")))
    texts = [row["text"] for row in rows]
    assert texts[:6] == ["'" + text for text in HOSTILE[:6]]
    assert texts[6:8] == HOSTILE[6:8]
    assert not any(cell.startswith(export_command.FORMULA) for cell in texts)
    assert [row["avg_logprob"] for row in rows] == ["-0.5"] * 10  # a number is one


def test_json_lines(library, capsys):
    lines = exported(capsys, "scores", "--format", "jsonl").splitlines()
    assert [json.loads(line)["score"] for line in lines] == [7, None]
    lines = exported(capsys, "segments", "--format", "jsonl").splitlines()
    assert [json.loads(line)["text"] for line in lines][:9] == HOSTILE[:9]


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("table", columns.TABLES)
def test_every_table_is_written_whole_or_not_at_all(library, format, table, tmp_path, capsys):
    target = tmp_path / f"a.{format}"
    assert exported(capsys, table, "--format", format, "--output", str(target)) == ""
    assert target.exists()
    if format == "parquet":
        pd.testing.assert_frame_equal(
            pd.read_parquet(target), tables.read(table), check_dtype=False
        )
    assert [path.name for path in tmp_path.glob("*a.*")] == [target.name]


def test_mistakes_are_said(library, capsys, monkeypatch):
    assert main.main(["export", "words", "--format", "parquet"]) == 1
    assert "--output" in capsys.readouterr().err
    assert main.main(["export", "words", "--video", "nobody"]) == 1
    assert "there is no video 'nobody'" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main.main(["export", "words", "--format", "parquet", "--output", "a.parquet"]) == 1
    assert "pip install 'reelmake[parquet]'" in capsys.readouterr().err


def test_a_stage_whose_artifact_is_gone_takes_no_other_with_it(library):
    shutil.rmtree(library / "one" / "jobs")
    (library / "one" / "scores.json").unlink()
    assert len(tables.scores()) == 0
    assert len(tables.highlights()) == 1


def test_the_documentation_lists_every_column():
    said = columns.as_markdown()
    for table, declared in columns.TABLES.items():
        assert f"### {table}\n" in said
        assert all(f"| `{column.name}` |" in said for column in declared)
