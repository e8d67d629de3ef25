"""The narrative: its beats are chosen by score and time, its words are the model's."""

import json

import pytest

import write_narrative
from reelmake.editing import beats, narrative
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.jobs import model_answers
from reelmake.jobs.run_context import RunContext
from reelmake.library import config, scene_descriptions
from reelmake.library.scene_descriptions import FIELDS
from reelmake.models import text_model
from text_job import METADATA, Answering, TextJob, film

SETTINGS = config.load({"text_model": {"context": 2048, "max_tokens": 160}})
TEXTS = ("a door opens", "a car", "", "the ball rolls", "a goal", "we see", "goodbye")
SCORES = (4, 3, None, 5, 9, 1, 2)
BEATS = ["setup", "rising", "rising", "climax", "resolution"]
GOOD = {"title": "a title", "why": "so it is"}


@pytest.fixture
def this(tmp_path):
    return TextJob(tmp_path, "narrative", SETTINGS["text_model"] | SETTINGS["narrative"])


def tell(this, texts=TEXTS, scores=SCORES, seen=None):
    """What the script makes of the film."""
    by_id = dict(enumerate(scores))
    segments = film(*texts, scenes={0: [2]})
    chosen = beats.choose(segments, by_id, len(texts), this.settings["rising"])
    questions = narrative.questions(chosen, seen or {}, this.settings["prompt"])
    answers = model_answers.ask(this, questions, narrative.FORM, needed=False)
    return narrative.beats(chosen, by_id, answers)


def test_each_beat_has_its_words(this):
    """From a real model, whatever it may say."""
    found = tell(this)
    assert [each["beat"] for each in found] == BEATS
    assert [each["id"] for each in found] == [0, 1, 3, 4, 6]
    assert [(each["start"], each["end"]) for each in found] == [
        (each["id"], each["id"] + 1) for each in found
    ]
    assert [each["score"] for each in found] == [4, 3, 5, 9, 2]
    assert any(each["title"] for each in found)
    assert this.said[-1] == (5, 5)


def test_the_model_is_told_which_beat_it_is(this, monkeypatch):
    model = Answering(*[GOOD] * 5)
    monkeypatch.setattr(text_model, "loaded", model)
    tell(this, seen={2: [dict.fromkeys(FIELDS, "a ball")]})
    assert [question.beat for question in model.asked] == BEATS
    assert "This part is its climax." in model.asked[3].message()
    assert "<transcript>\na goal\n</transcript>" in model.asked[3].message()
    assert "- a ball; a ball; a ball; a ball" in model.asked[0].message()


def test_a_film_without_segments_needs_no_model(this, monkeypatch):
    monkeypatch.setattr(text_model, "loaded", None)
    assert tell(this, (), ()) == []


def test_a_beat_in_which_nothing_is_said_or_seen_has_no_words(this, monkeypatch):
    monkeypatch.setattr(text_model, "loaded", None)
    found = tell(this, ("", "", "", ""), (None,) * 4)
    assert [each["beat"] for each in found] == ["setup", "rising", "climax", "resolution"]
    assert {each["title"] for each in found} == {None}


BAD = [ValueError("no"), {"title": "\n \x1b", "why": "a"}, {"title": 3, "why": "a"}, {"why": "a"}]


@pytest.mark.parametrize("bad", BAD)
def test_words_that_are_none_stop_nothing(this, monkeypatch, bad):
    monkeypatch.setattr(text_model, "loaded", Answering(bad, GOOD, bad, bad, bad))
    found = tell(this)
    assert [each["title"] for each in found] == [None, "a title", None, None, None]
    assert [each["why"] for each in found] == [None, "so it is", None, None, None]
    assert this.record["items_failed"] == 4


def test_all_of_them_neither(this, monkeypatch):
    monkeypatch.setattr(text_model, "loaded", Answering(*[BAD[0]] * 5))
    assert [each["beat"] for each in tell(this)] == BEATS


def test_words_are_short_lines_that_can_be_written(this, monkeypatch):
    words = "so\n\x1b[31m\ud800good " + "long " * 200
    monkeypatch.setattr(text_model, "loaded", Answering(*[{"title": words, "why": words}] * 5))
    for each in tell(this):
        assert each["title"].startswith("so [31mgood long")
        assert (len(each["title"]), len(each["why"])) <= (80, 300)


def test_a_stopped_job_goes_on_after_its_last_beat(this, tmp_path):
    undisturbed = TextJob(tmp_path / "undisturbed", "narrative", this.settings)
    expected = tell(undisturbed)
    this.stop_after = 3
    with pytest.raises(KeyboardInterrupt):
        tell(this)
    this.stop_after, this.said = None, []
    assert tell(this) == expected
    assert this.said[0] == (3, 5)


def test_the_same_segment_as_another_beat_is_another_question(this, monkeypatch):
    monkeypatch.setattr(text_model, "loaded", Answering(*[GOOD] * 5))
    tell(this)
    this.said = []
    monkeypatch.setattr(text_model, "loaded", Answering(*[GOOD] * 5))
    tell(this, scores=(9, 3, None, 5, 4, 1, 2))
    assert this.said[0] == (0, 2)


def test_a_model_that_is_not_there_is_an_error(this):
    this.run = RunContext(models={"text_model.model": "nowhere.gguf"})
    with pytest.raises(StageError, match=r"check text_model\.model"):
        tell(this)


def test_the_file(this, tmp_path):
    segments, scores = tmp_path / "segments.json", tmp_path / "scores.json"
    described, output = tmp_path / "one.scenedesc.msgpack", tmp_path / "narrative.json"
    more = {"duration": 7, "made_from": "sentences", "sentences": 2, "pauses": 1}
    artifact_files.write_json(segments, more | {"segments": film(*TEXTS)}, "segments")
    known = [{"id": n, "score": score, "reason": None} for n, score in enumerate(SCORES)]
    artifact_files.write_json(scores, {"model": "a", "failed": 1, "scores": known}, "scores")
    scene_descriptions.write(described, METADATA, [])
    this.settings["model"] = {"name": "text.gguf", "content": "0"}
    write_narrative.write_narrative(this, segments, scores, described, None, output)
    found = json.loads(output.read_bytes())
    artifact_files.validate(found, "narrative")
    assert found["model"] == "text.gguf"
    assert found["failed"] == sum(each["title"] is None for each in found["beats"])
    assert [each["beat"] for each in found["beats"]] == BEATS
