"""The configuration: defaults, types, refusals, and the documents that repeat it."""

from pathlib import Path

import pytest
import yaml

from reelmake.foundation.errors import UserError
from reelmake.library import config, config_docs
from reelmake.library.model_profiles import PROFILES

SMALL = PROFILES["small"].models
ROOT = Path(__file__).resolve().parents[3]


def test_nothing_given_is_every_default():
    loaded = config.load({})
    named = {name: value for model in SMALL for name, value in model.settings.items()}
    # Into no language: nothing is translated.
    named["stages"] = [name for name in config.default("stages") if name != "translations"]
    for name, node in config.settings():
        assert config.get(loaded, name) == named.get(name, node["default"])


def test_what_is_translated_is_said_by_the_languages():
    assert "translations" in config.load({"translations": {"languages": "de"}})["stages"]
    given = {"translations": {"languages": ["de", False]}}  # YAML reads `no` as false
    loaded = config.load(given)
    assert loaded["translations"]["languages"] == ["de", "no"]
    # One video may have others, and what is made stays the same for all.
    own = config.with_overrides(loaded, {"translations.languages": '["fr"]'})
    assert own["translations"]["languages"] == ["fr"]
    own = config.with_overrides(loaded, {"translations.languages": []})
    assert own["stages"] == loaded["stages"]


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"stages": ["translations"]}, "into which languages"),
        ({"stages": ["translations", "catalog"]}, "into which languages"),
        ({"translations": {"languages": ["German"]}}, "languages: German is 'de' there"),
        ({"translations": {"languages": "français"}}, "languages: français is 'fr' there"),
        ({"translations": {"languages": ["DE"]}}, 'languages.0.: "DE" does not match'),
        ({"translations": {"languages": ["../x"]}}, "does not match"),
        ({"translations": {"languages": ["de", "de"]}}, "non-unique"),
        ({"translations": {"prompt": "{lines}"}}, "has no {language}"),
        ({"translations": {"prompt": "{language}"}}, "has no {lines}"),
        ({"translations": {"language": ["de"]}}, "did you mean 'translations.languages'"),
    ],
)
def test_what_can_be_translated_into_nothing_is_refused(given, hint):
    with pytest.raises(UserError, match=hint):
        config.load(given)


def test_one_video_alone_has_no_languages():
    with pytest.raises(UserError, match="where the configuration names some for all"):
        config.with_overrides(config.load({}), {"translations.languages": "de"})


def test_given_values_win_and_leave_their_section_alone():
    loaded = config.load({"transcription": {"model": "tiny"}})
    assert loaded["transcription"]["model"] == "tiny"
    assert loaded["transcription"]["beam_size"] == 5


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"vidoes": "x"}, "did you mean 'videos'?"),
        ({"transcription": {"modle": "x"}}, "did you mean 'transcription.model'?"),
        ({"keyframes": {"per_scenes": 2}}, "did you mean 'keyframes.per_scene'?"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(given, hint):
    with pytest.raises(UserError, match="there is no setting") as error:
        config.load(given)
    assert hint in str(error.value)


@pytest.mark.parametrize(
    "given",
    [
        {"transcription": {"beam_size": 0}},
        {"transcription": {"beam_size": "many"}},
        {"transcription": "small"},
        {"transcription": {"language": "English"}},
        {"scenes": {"detector": "magic"}},
        {"videos": []},
        {"prune": "perhaps"},
        {"settle_seconds": float("inf")},
        {"audio": {"track": True}},
        {"transcription": {"initial_prompt": True}},
    ],
)
def test_a_wrong_value_is_refused_by_name(given):
    section = next(iter(given))
    with pytest.raises(UserError, match=section):
        config.load(given)


def test_text_from_the_command_line_becomes_what_the_schema_wants():
    """Snakemake hands nested values over as text, and a folder named 2023 as a number."""
    loaded = config.load(
        {
            "videos": 2023,
            "prune": "False",
            "transcription": {"beam_size": "3", "language": "no", "model": "7"},
            "audio": {"track": "1"},
            "scenes": {"threshold": "null", "min_seconds": "0.5"},
        }
    )
    assert loaded["videos"] == "2023"
    assert loaded["prune"] is False
    assert loaded["transcription"]["beam_size"] == 3
    assert loaded["transcription"]["language"] == "no"  # Norwegian
    assert loaded["transcription"]["model"] == "7"
    assert loaded["audio"]["track"] == 1
    assert loaded["scenes"]["threshold"] is None
    assert loaded["scenes"]["min_seconds"] == 0.5


def test_text_that_is_no_text_is_refused_for_what_it_is():
    with pytest.raises(UserError, match=r"threshold: 99.* is greater than the maximum of 10"):
        config.load({"highlights": {"threshold": "99"}})


def test_one_text_is_a_list_of_one():
    assert config.load({"stages": "highlights"})["stages"] == ["highlights"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("clip", r"no 'clip' \(did you mean 'clips'\?\); name any of transcripts, speakers, "),
        ("subtitles", r"did you mean 'transcripts'\?"),
        ("scores", r"no 'scores'; name any of transcripts, "),
    ],
)
def test_what_nothing_makes_is_refused_with_the_nearest(name, hint):
    with pytest.raises(UserError, match=hint):
        config.load({"stages": ["clips", name]})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stages": "catalog"}, "catalog alone makes nothing of a video; .*snakemake catalog"),
        ({"segments": {"min_seconds": 61}}, r"min_seconds \(61\) is more than .* \(60\)"),
        ({"scores": {"prompt": "How good is {Text}?"}}, r"scores\.prompt has neither {text} nor"),
        ({"narrative": {"prompt": "The {beat}"}}, r"narrative\.prompt has neither"),
        ({"onscreen": {"languages": ["en", "ja"]}}, r"RapidOCR calls ja 'japan'"),
        ({"onscreen": {"languages": ["en", "th"]}}, r"th can't be read.*th_PP-OCRv5_rec_mobile"),
        (
            {"stages": ["scenes", "narrative"], "scores": {"prompt": "{text} {onscreen}"}},
            r"scores\.prompt has {onscreen}, and stages has no onscreen",
        ),
        ({"text_model": {"max_tokens": 4096}}, r"text_model\.max_tokens \(4096\) leaves no room"),
        ({"description": {"context": 512}}, r"description\.max_tokens \(512\) leaves no room"),
        (
            {"transcription": {"endpoint": "http://a/v1", "task": "translate"}},
            r"a server \(transcription\.endpoint\) is asked to transcribe only",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused_before_the_run(given, message):
    with pytest.raises(UserError, match=message):
        config.load(given)


def test_one_number_is_one_value():
    """4 and 4.0 are written alike, or the same setting would have two fingerprints."""
    for whole, point in ((4, 4.0), ("4", "4.0")):
        for section, key in (("scenes", "threshold"), ("keyframes", "per_scene")):
            one, other = (config.load({section: {key: v}})[section][key] for v in (whole, point))
            assert repr(one) == repr(other)
    one, other = (config.load({"transcription": {"temperature": v}}) for v in ([0, 1], [0.0, 1.0]))
    assert repr(one) == repr(other)


@pytest.mark.parametrize(
    ("typed", "setting", "meant"),
    [
        ("clips: {aspect: 9:16}", "clips.aspect", "9:16"),
        ("clips: {aspect: 1:1}", "clips.aspect", "1:1"),
        ("clips: {aspect: 21:9}", "clips.aspect", "21:9"),
        ("transcription: {language: no}", "transcription.language", "no"),
        ("audio: {track: no}", "audio.track", "no"),
        ("audio: {track: [no, en, 0]}", "audio.track", ["no", "en", 0]),
        ("videos: 2023", "videos", "2023"),
        ("videos: 2024-01-01", "videos", "2024-01-01"),
        ("trailer: {seconds: 1:30}", "trailer.seconds", 90),
    ],
)
def test_what_yaml_makes_of_a_text_without_quotes_is_that_text(typed, setting, meant):
    assert config.get(config.load(yaml.safe_load(typed)), setting) == meant


@pytest.mark.parametrize(
    "given",
    [
        {"clips": {"aspect": 1.78}},
        {"clips": {"aspect": 59}},
        {"transcription": {"initial_prompt": False}},
        {"transcription": {"model": False}},
    ],
)
def test_what_no_text_stands_for_is_refused(given):
    with pytest.raises(UserError, match=next(iter(given))):
        config.load(given)


def test_a_section_that_is_given_a_value_is_shown_the_way():
    with pytest.raises(UserError, match=r"--config 'transcription=\{model: …\}'"):
        config.load({"transcription": "tiny"})


def test_a_video_has_its_own_settings_and_the_others_keep_theirs():
    base = config.load({})
    own = config.with_overrides(base, {"transcription.language": "de", "keyframes.per_scene": "2"})
    assert own["transcription"]["language"] == "de"
    assert own["keyframes"]["per_scene"] == 2
    assert base["transcription"]["language"] is None
    with pytest.raises(UserError):
        config.with_overrides(base, {"transcription.language": "German"})


def test_the_descriptions_name_the_models_without_a_profile():
    nodes = dict(config.settings())
    for model in SMALL:
        for name, value in model.settings.items():
            assert nodes[name]["default"] == "auto"
            assert nodes[name]["description"].endswith(value) or "small without" in str(nodes[name])
    assert nodes["hardware.profile"]["enum"] == [*PROFILES, None]


def test_every_setting_is_described_and_its_default_is_valid():
    for name, node in config.settings():
        assert node.get("description"), name
        assert "default" in node, name


def test_config_yaml_is_what_the_schema_says():
    written = (ROOT / "config.yaml").read_text()
    assert written == config_docs.as_yaml(), "run: make config"
    assert config.load(yaml.safe_load(written)) == config.load({})


def test_the_page_of_settings_lists_every_one():
    page = config_docs.as_markdown()
    for name, node in config.settings():
        assert f"| `{name}` |" in page and node["description"] in page


def test_a_section_may_be_switched_off_alone():
    for off in (False, "false", "False"):
        assert config.load({"cache": off})["cache"] == config.load({})["cache"] | {"enabled": False}
    assert config.load({"cache": True})["cache"]["enabled"] is True
    with pytest.raises(UserError, match=r"cache: .*config\.yaml says"):
        config.load({"cache": "maybe"})


def test_stages_of_the_cache_are_known():
    given = {"except": ["keyframes"], "stage_ttl": {"scenedesc": "30d"}}
    assert config.load({"cache": given})["cache"]["stage_ttl"] == {"scenedesc": "30d"}
    for wrong in ({"except": ["keyframe"]}, {"stage_ttl": {"keyframe": "1d"}}):
        with pytest.raises(UserError, match="did you mean 'keyframes'"):
            config.load({"cache": wrong})
    for wrong in ({"ttl": "7"}, {"size_limit": "10"}, {"stage_ttl": {"media": 7}}):
        with pytest.raises(UserError):
            config.load({"cache": wrong})


@pytest.mark.parametrize(
    "address", ["a:8080", "ftp://a/v1", "http://user:secret@a/v1", "http://a/v1?key=secret", ""]
)
def test_an_address_of_a_server_has_a_form_and_no_secret(address):
    for section in ("description", "text_model", "transcription"):
        with pytest.raises(UserError, match=f"{section}.endpoint"):
            config.load({section: {"endpoint": address}})
        assert config.load({section: {"endpoint": "https://a.b:1/c/v1"}})
