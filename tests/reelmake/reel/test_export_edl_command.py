"""`reel export-edl` on a library of real films with artifacts that nobody had to compute."""

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import opentimelineio as otio
import pytest

import make_media
from embedding_job import MODELS
from reelmake.foundation import artifact_files
from reelmake.library import film_vectors, fingerprints, sources
from reelmake.library.film_vectors import Vectors
from reelmake.media import probing
from reelmake.models.embedding import TextModel
from reelmake.reel import library_moments, main

SPANS = [(0.2, 0.4, 8, "It <cheers>"), (0.6, 0.84, None, None)]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two films with highlights, one with a start timecode; and one that nobody has scored."""
    monkeypatch.chdir(tmp_path)
    for name, arguments in (("one", ["-timecode", "10:00:00:00"]), ("two", []), ("new", [])):
        path = tmp_path / f"{name}.mov"
        graph = "color=c=red:s=64x36:r=25:d=1"
        make_media.ffmpeg("-f", "lavfi", "-i", graph, *arguments, path)
        results = tmp_path / "results" / name
        identity = {"source": sources.identify(str(path))}
        artifact_files.write_json(results / "fingerprints" / "media.json", identity)
        media = {"content": sources.digest(path)} | probing.probe(path)
        artifact_files.write_json(results / "media.json", media)
        if name != "new":
            found = [
                {"id": n, "start": start, "end": end, "score": score, "reason": reason, "text": "t"}
                for n, (start, end, score, reason) in enumerate(SPANS)
            ]
            edited = [{"start": "0", "end": 1}, {"start": 0.5, "end": 0.1}, {"end": float("1e400")}]
            listed = json.dumps({"highlights": found + edited})
            (results / "highlights.json").write_text(listed)
    return tmp_path


def run(*arguments: str) -> int:
    return main.main(["export-edl", *arguments])


def test_highlights_of_all_films_are_in_a_row(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--output", "all.otio") == 0
    made = otio.adapters.read_from_file(str(library / "all.otio"))
    clips = list(made.tracks[0].find_clips())
    starts = [clip.source_range.start_time.value for clip in clips]
    assert starts == [900_005, 900_015, 5, 15]  # by timecode; one film has none
    assert [clip.name for clip in clips[:2]] == ["Highlight 1, 8 of 10", "Highlight 2"]
    assert [clip.metadata["reelmake"]["note"] for clip in clips[:2]] == ["It <cheers>", "t"]
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "reel: without highlights, left out: new (1 video)",
        "reel: all.otio: 4 moments of 2 films",
    ]
    assert sorted(os.listdir(library)) == ["all.otio", "new.mov", "one.mov", "results", "two.mov"]


@pytest.mark.parametrize(
    ("output", "beginning"),
    [
        ("a.edl", b"TITLE: one highlights\nFCM: NON-DROP FRAME\n"),
        ("a.fcpxml", b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'),
        ("a.XML", b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n'),
        ("a.otio", b"{"),
    ],
)
def test_the_suffix_says_the_format(library: Path, output: str, beginning: bytes) -> None:
    assert run("--video", "one", "--output", output) == 0
    assert (library / output).read_bytes().startswith(beginning)


def test_standard_output_has_nothing_but_the_file(
    library: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run("--video", "one", "two", "--format", "fcp7", "--as", "markers", "--name", "N") == 0
    said = capfdbinary.readouterr()
    root = ElementTree.fromstring(said.out)
    assert root.findtext("sequence/name") == "N"
    assert [marker.findtext("in") for marker in root.iter("marker")] == ["5", "15", "30", "40"]
    assert said.err == b""


def test_scenes_and_beats_say_what_they_are(library: Path) -> None:
    results = library / "results" / "two"
    beat = {"beat": "climax", "id": 0, "start": 0.2, "end": 0.4, "score": 9}
    beats = [beat | {"title": "A leap", "why": "It lands."}, beat | {"title": None, "why": None}]
    artifact_files.write_json(results / "narrative.json", {"beats": beats})
    scene = {"id": 0, "start": 0.0, "end": 1.0, "start_frame": 0, "end_frame": 25}
    facts = {"fps": 25.0, "frames": 25, "duration": 1.0, "detector": "content", "scenes": [scene]}
    artifact_files.write_json(results / "scenes.json", facts)
    for what, names in (("beats", ["Climax: A leap", "Climax"]), ("scenes", ["Scene 1"])):
        assert run("--video", "two", "--what", what, "--output", "a.otio") == 0
        made = otio.adapters.read_from_file(str(library / "a.otio"))
        assert [clip.name for clip in made.tracks[0].find_clips()] == names


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--video", "on"], "there is no video 'on' (did you mean 'one'?)"),
        (["--video", "new"], "no highlights of new: make them with snakemake"),
        (["--what", "beats"], "no beats of new, one, two: make them"),
        (["--output", "results"], "--output results: it is a folder"),
        (["--output", "a.txt"], "add --format, or a suffix that says it: .otio, .edl"),
        (["--output", "one.mov", "--format", "edl"], "one.mov: there is a film of that name"),
        (["--output", "two.mov", "--video", "one", "--format", "edl"], "there is a film of that"),
        (["--output", "OLD.MTS", "--format", "edl"], "OLD.MTS: there is a film of that name"),
        (["--output", "link", "--format", "edl"], "link: it is one of the films"),
        (["--output", "/dev/null", "--format", "edl"], "/dev/null: it is no file"),
        (["-d", "results/one"], "results: there is no such folder"),
    ],
)
def test_mistakes_are_said_and_nothing_is_written(
    library: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    (library / "OLD.MTS").write_bytes(b"of another library")
    (library / "link").hardlink_to(library / "one.mov")
    films = [path for path in library.iterdir() if path.is_file()]
    before = [path.read_bytes() for path in films]
    assert run(*arguments) == 1
    message = capsys.readouterr()
    assert said in message.err and message.err.count("reel: ") < 3 and not message.out
    assert [path.read_bytes() for path in films] == before
    assert (library / "results" / "one" / "highlights.json").exists()


@pytest.mark.parametrize("change", ["gone", "damaged", "other"])
def test_films_that_are_not_as_they_were_are_said(
    library: Path, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    path = library / "one.mov"
    if change == "gone":
        path.unlink()
    elif change == "other":
        path.write_bytes(b"x" * 100)
    else:
        (library / "results" / "one" / "media.json").write_text("{")
    assert run("--output", "a.edl") == 1
    assert capsys.readouterr().err.startswith("reel: one: ")
    assert not (library / "a.edl").exists()


@pytest.mark.parametrize("number", [[], {}, None, "1"])
def test_the_numbers_of_scenes_may_be_anything_in_an_edited_file(
    library: Path, number: object
) -> None:
    folder = library / "results" / "two"
    scenes = [{"id": number, "start": 0.2, "end": 0.5}]
    (folder / "scenes.json").write_text(json.dumps({"scenes": scenes}))
    assert [each.label for each in library_moments.of("scenes", folder, folder)] == ["Scene 1"]


def test_export_does_not_replace_a_folder(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["export", "highlights", "--output", "results"]) == 1
    assert "it is a folder" in capsys.readouterr().err
    assert (library / "results" / "one").is_dir()


def test_what_a_search_finds_is_in_a_row_best_first(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, start, said in (("one", 0.2, "the crowd"), ("two", 0.6, "the crowd cheers, cheers")):
        words = {"id": 0, "start": start, "end": start + 0.2, "text": said, "words": []}
        transcript = {"language": "en", "segments": [words]}
        (library / "results" / name / "transcript.json").write_text(json.dumps(transcript))
        (library / "results" / name / "manifest.json").write_text("{}")
    assert run("crowd cheers", "--output", "a.otio") == 1
    assert "reel catalog" in capsys.readouterr().err  # there is none yet
    assert main.main(["catalog"]) == 0
    assert run("crowd", "--name", "cheers", "--output", "a.otio") == 0
    made = otio.adapters.read_from_file(str(library / "a.otio"))
    found = {
        (clip.name, clip.source_range.start_time.value, clip.metadata["reelmake"]["note"])
        for clip in made.tracks[0].find_clips()
    }
    assert found == {("one", 900_005, "the crowd"), ("two", 15, "the crowd cheers, cheers")}
    assert run("crowd", "--video", "two", "--output", "b.otio") == 0
    made = otio.adapters.read_from_file(str(library / "b.otio"))
    assert [clip.name for clip in made.tracks[0].find_clips()] == ["two"]
    capsys.readouterr()
    assert run("nobody", "--output", "c.otio") == 1
    assert "nothing was found" in capsys.readouterr().err
    assert run("crowd", "--what", "beats") == 1
    assert not (library / "c.otio").exists()


def test_what_means_the_same_is_found(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = [("one", "the crowd cheers loudly"), ("two", "a small bird sings quietly")]
    text = TextModel(MODELS / "text", "embeddings.text_model", 1)
    for name, sentence in said:
        words = {"id": 0, "start": 0.2, "end": 0.6, "text": sentence, "words": []}
        folder = library / "results" / name
        (folder / "transcript.json").write_text(json.dumps({"language": "en", "segments": [words]}))
        (folder / "manifest.json").write_text("{}")
        vectors = np.stack(text.embed([sentence])).astype(np.float16)
        model = fingerprints.model(str(MODELS / "text"))
        film_vectors.write(
            folder / film_vectors.NAME, [Vectors("said", model, [0], [0.2], [0.6], vectors)]
        )
    assert main.main(["catalog"]) == 0
    given = {"text_model": str(MODELS / "text"), "image_model": None}
    config = f"embeddings={json.dumps(given)}"
    assert run("the audience applauds", "--config", config, "--output", "a.otio") == 0
    made = otio.adapters.read_from_file(str(library / "a.otio"))
    assert [clip.name for clip in made.tracks[0].find_clips()] == ["one"]
    capsys.readouterr()
    assert run("audience applauds", "--words", "--config", config, "--output", "b.otio") == 1
    assert "nothing was found" in capsys.readouterr().err
