"""Fingerprints: what goes in, and nothing else."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.library import config, fingerprints
from reelmake.library.reading_languages import model_file
from reelmake.library.stages import STAGES, TARGETS, downstream

IDENTITY = {"path": "/films/a.mp4", "size": 10, "mtime_ns": 5}


def compute(given=None, identity=IDENTITY):
    return fingerprints.compute(fingerprints.settings(config.load(given or {})), identity)


def changed(one, other):
    return [stage for stage in one if one[stage]["key"] != other[stage]["key"]]


def test_a_key_is_the_sha256_of_all_that_the_fingerprint_says():
    for stage, content in compute().items():
        said = {name: value for name, value in content.items() if name != "key"}
        assert content["key"] == fingerprints.key(said)
        assert len(content["key"]) == 64
        assert content["stage"] == stage


def test_a_key_survives_being_written_and_read():
    """A sidecar is compared with what is wanted: JSON must not change a value."""
    for content in compute().values():
        assert json.loads(json.dumps(content)) == content


@given(
    st.dictionaries(
        st.text(), st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    )
)
def test_the_order_of_settings_does_not_matter(settings):
    assert fingerprints.key(settings) == fingerprints.key(dict(reversed(settings.items())))


def test_what_a_stage_can_do_without_is_read_where_it_is_asked_for(monkeypatch):
    stage = replace(STAGES["chapters"], optional={"narrative": None})
    monkeypatch.setitem(STAGES, "chapters", stage)
    without = compute({"stages": ["chapters"]})
    assert "narrative" not in without
    assert list(without["chapters"]["upstream"]) == ["media", "scenes", "scenedesc"]
    both = compute({"stages": ["chapters", "narrative"]})
    assert both["chapters"]["upstream"]["narrative"] == both["narrative"]["key"]
    # Made once by name, it makes nothing stale.
    config_of_run = config.load({"stages": ["chapters"]})
    also = fingerprints.compute(fingerprints.settings(config_of_run, ["narrative"]), IDENTITY)
    assert also["chapters"] == without["chapters"]


def test_a_setting_can_say_whether_a_stage_reads_another(monkeypatch):
    stage = replace(STAGES["scores"], optional={"scenedesc": "scores.prompt"})
    monkeypatch.setitem(STAGES, "scores", stage)
    plain = compute({"scores": {"prompt": "How good is {text}?"}})
    assert "scenedesc" not in plain["scores"]["upstream"]
    asking = compute({"scores": {"prompt": "How good is {text}, with {scenedesc}?"}})
    assert "scenedesc" in asking["scores"]["upstream"]


def test_what_is_written_makes_stale_only_what_asks_for_it():
    plain = compute()
    more = {"onscreen": {"every_seconds": 1}}
    assert changed(plain, compute(more)) == ["onscreen", "manifest"]
    for section, stage in (
        *(("description", "scenedesc"), ("scores", "scores"), ("narrative", "narrative")),
    ):
        asking = {section: {"prompt": "{text} {onscreen}"}}
        stale = changed(compute(asking), compute(asking | more))
        assert stale == ["onscreen", *downstream(stage)]


def test_a_language_that_the_same_model_reads_makes_nothing_stale(tmp_path):
    assert compute({"onscreen": {"languages": ["de", "ch"]}}) == compute()
    (path := tmp_path / model_file("korean")).touch()
    own = {"languages": ["de", "korean"], "models": str(path.parent)}
    assert changed(compute(), compute({"onscreen": own})) == ["onscreen", "manifest"]


def test_the_source_makes_everything_stale():
    for change in ({"size": 11}, {"mtime_ns": 6}, {"path": "/films/b.mp4"}):
        assert changed(compute(), compute(identity=IDENTITY | change)) == list(compute())


def test_a_local_video_knows_nothing_of_downloads():
    """Its keys are what they were before there were any."""
    local = compute()
    assert "source" not in local
    assert set(local) == set(STAGES) - {"source", *TARGETS["translations"]}
    assert not any("source" in content["upstream"] for content in local.values())
    assert local["media"]["upstream"] == {}


URL = {"path": "https://example.org/a.mp4", "etag": '"1"'}


def test_the_state_of_a_url_is_in_the_stage_that_fetches_it_and_all_follow():
    first, other = compute(identity=URL), compute(identity=URL | {"etag": '"2"'})
    assert changed(first, other) == [name for name in STAGES if name in first]
    assert [stage for stage in first if "etag" in first[stage]["source"]] == ["source"]
    for stage in ("media", "audio", "scenes", "keyframes"):
        assert first[stage]["upstream"]["source"] == first["source"]["key"]
    differences = fingerprints.differences
    assert differences(first["source"], other["source"]) == ["source changed"]
    assert differences(first["media"], other["media"]) == []
    step = compute(identity={"path": URL["path"], "step": 900})["source"]
    (said,) = differences(first["source"], step)
    assert "can't tell" in said


def test_a_version_makes_the_stage_and_what_follows_stale(monkeypatch):
    before = compute()
    monkeypatch.setitem(
        STAGES, "scenes", type(STAGES["scenes"])(**{**vars(STAGES["scenes"]), "version": 99})
    )
    assert changed(before, compute()) == downstream("scenes")


def test_a_model_is_known_by_its_content_not_its_place(tmp_path):
    one, other = tmp_path / "one" / "m.gguf", tmp_path / "other" / "m.gguf"
    for path in (one, other):
        path.parent.mkdir()
        path.write_bytes(b"GGUF weights")
    given = [{"description": {"model": str(path), "repo_id": None}} for path in (one, other)]
    assert not changed(compute(given[0]), compute(given[1]))
    other.write_bytes(b"GGUF better!")
    fingerprints._model_digest.cache_clear()
    assert changed(compute(given[0]), compute(given[1])) == downstream("scenedesc")


def test_a_file_here_is_not_the_model_of_a_repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"description": {"repo_id": "owner/name", "model": "m.gguf"}}
    before = compute(given)
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    assert not changed(before, compute(given))


def test_differences_are_said_in_words():
    before = compute()
    after = compute({"transcription": {"model": "tiny"}})
    assert fingerprints.differences(before["transcript"], after["transcript"]) == [
        "transcription.model small -> tiny"
    ]
    assert fingerprints.differences(before["subtitles"], after["subtitles"]) == []
    assert fingerprints.differences(None, after["transcript"]) == ["new"]
    replaced = compute(identity=IDENTITY | {"size": 99})
    assert fingerprints.differences(before["media"], replaced["media"]) == [
        "source changed (its size or time)"
    ]


def test_of_names_only_those_that_differ_are_said():
    settings = fingerprints.settings(config.load({}))
    many = {f"S{number}": "A name that stays" for number in range(1, 5)}
    before, after = (
        fingerprints.compute(
            settings | {"subtitles": settings["subtitles"] | {"speakers.names": names}}, IDENTITY
        )
        for names in (many, many | {"S4": "Ann"})
    )
    assert fingerprints.differences(before["subtitles"], after["subtitles"]) == [
        'speakers.names {"S4": "A name that stays"} -> {"S4": "Ann"}'
    ]


def test_of_what_is_long_the_change_is_said():
    def said(stage, before, after):
        return fingerprints.differences(compute(before)[stage], compute(after)[stage])

    stages = config.load({})["stages"]
    fewer = [each for each in stages if each not in ("onscreen", "clips", "catalog")]
    assert said("manifest", {}, {"stages": fewer}) == ["stages: without onscreen, clips"]
    assert said("manifest", {"stages": fewer}, {}) == ["stages: with onscreen, clips"]
    begins = "Of all that is said and seen in this film, {text},"
    prompts = [{"scores": {"prompt": f"{begins} {end}"}} for end in "ab"]
    (change,) = said("scores", *prompts)
    assert change.startswith("scores.prompt changed after 'Of all that is said")


def test_a_model_has_a_name_whether_its_content_is_known_or_not():
    local = {"name": "a.gguf", "content": "0"}
    assert fingerprints.model_name("a.gguf") == fingerprints.model_name(local) == "a.gguf"


def test_a_setting_that_came_later_is_not_there_at_its_default():
    """What was made before there was such a setting stays current."""
    before = compute()
    assert "audio.track" not in before["clips"]["settings"]
    after = compute({"audio": {"track": "deu"}})
    assert "clips" in changed(before, after)
    assert fingerprints.differences(before["clips"], after["clips"]) == [
        "audio.track default -> deu"
    ]


SERVED = {
    "transcript": (
        "transcription",
        {"compute_type": "int8", "beam_size": 1, "vad_method": "filter"},
    ),
    "scenedesc": ("description", {"mmproj": "other.gguf", "repo_id": None, "context": 2048}),
    "scores": ("text_model", {"repo_id": None}),
    "narrative": ("text_model", {"repo_id": None}),
}
"""Of each stage with a model: its section, and settings that only an engine here reads."""


@pytest.mark.parametrize("stage", SERVED)
def test_a_server_counts_and_not_where_it_is(stage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    section, here = SERVED[stage]

    def key(**more):
        return compute({section: more})[stage]["key"]

    first = {"model": "m.gguf", "endpoint": "http://one:8080/v1"}
    assert key(**first) != key(model="m.gguf")
    assert key(**first) == key(**first | {"endpoint": "https://other/v1"})
    assert key(**first) != key(**first | {"model": "n.gguf"})
    assert key(**first) == key(**first | here)
    Path("m.gguf").write_bytes(b"GGUF")  # a file here of the name is another model
    assert key(**first) == key(**first | here)
    changes = fingerprints.differences(compute()[stage], compute({section: first})[stage])
    assert changes == [
        f"{section}.endpoint null -> true",
        f"{section}.model {config.load({})[section]['model']} -> m.gguf",
    ]


KEYS = {
    "media": "6ce88eeb025d",
    "audio": "108ddd8a0eb7",
    "transcript": "33ce059e8584",
    "speakers": "c9677a0b89ce",
    "subtitles": "c046e98c4a8b",
    "scenes": "e31f5a10dc61",
    "keyframes": "4af9f81833d2",
    "onscreen": "b956d4523f02",
    "scenedesc": "cd65350be27d",
    "embeddings": "99946430a1a6",
    "segments": "6e3ebf0f015b",
    "scores": "effcc6b6bc9e",
    "highlights": "f11c405e99ab",
    "clips": "7b03877b2431",
    "narrative": "2240b104df78",
    "chapters": "6856a9df04bd",
    "trailer": "1a4d1754e40c",
    "manifest": "466c03d46715",
}


KEPT = {"transcription": {"vad_method": "filter", "multilingual": False}}
"""How transcripts stay that were made before voices were heard piece by piece."""


def test_the_keys_are_those_of_the_artifacts_that_people_have():
    """Where this fails, every library's artifacts of these stages are made again: raise a version
    only where what is right would come out different, and say so in the CHANGELOG."""
    assert {stage: content["key"][:12] for stage, content in compute(KEPT).items()} == KEYS
    # As before there were any: so a library that is told to do without stays as it is.
    left_out = {
        "speakers": "cd686d679949",
        "onscreen": "9e96cb4a8454",
        "embeddings": "1bb8e1e5ab2e",
    }
    stages = config.load({})["stages"]
    for stage, key in left_out.items():
        stages = [name for name in stages if name != stage]
        before = compute(KEPT | {"stages": stages})
        assert before["manifest"]["key"][:12] == key and stage not in before
        # Who speaks is in what is printed, and in nothing that a GPU makes.
        assert before["subtitles"]["key"][:12] == "ff4c62cf1bd8"
    after = [name for name in downstream("transcript") if name in compute()]
    assert changed(compute(KEPT), compute()) == after
    assert fingerprints.differences(compute(KEPT)["transcript"], compute()["transcript"]) == [
        "transcription.multilingual false -> auto",
        "transcription.vad_method filter -> spans",
    ]
    assert compute()["transcript"]["key"][:12] == "50f5cd3bcf58"


def test_translations_make_nothing_else_stale():
    translated = compute({"translations": {"languages": ["de"]}})
    assert set(changed(compute(), translated)) == {"manifest"}
    made = set(translated) - set(compute())
    assert made == {"translations", "translated_subtitles"}
    assert "text_model.language" not in translated["translations"]["settings"]
    more = compute({"translations": {"languages": ["de", "fr"]}})
    assert set(changed(translated, more)) == made | {"manifest"}
    wrapped = {"translations": {"languages": ["de"]}, "subtitles": {"max_chars": 30}}
    assert "translations" not in changed(translated, compute(wrapped))


def test_a_server_that_translates_may_move():
    given = {"translations": {"languages": ["de"]}}
    one, other = (
        compute(given | {"text_model": {"endpoint": f"http://{host}:1/v1"}}) for host in "ab"
    )
    assert one["translations"] == other["translations"] != compute(given)["translations"]


def test_the_catalog_is_in_no_key():
    """It is made of all films: those of a library that had none stay finished."""
    with_it = fingerprints.settings(config.load({"stages": ["scenes", "catalog"]}))
    assert with_it == fingerprints.settings(config.load({"stages": ["scenes"]}))
    assert with_it["manifest"] == {"stages": ["scenes"]}
