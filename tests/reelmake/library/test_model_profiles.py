"""`hardware.profile`: which models are taken where nobody names any, and what that makes stale."""

import pytest

from reelmake.foundation.errors import UserError
from reelmake.library import config, fingerprints, model_profiles, stages, videos
from reelmake.library.model_profiles import PROFILES

IDENTITY = {"path": "/films/a.mp4", "size": 10, "mtime_ns": 5}
BEFORE = {
    "transcription.model": "small",
    "description.repo_id": "ggml-org/Qwen2.5-VL-3B-Instruct-GGUF",
    "description.model": "Qwen2.5-VL-3B-Instruct-Q4_K_M.gguf",
    "description.mmproj": "mmproj-Qwen2.5-VL-3B-Instruct-Q8_0.gguf",
    "text_model.repo_id": "unsloth/Qwen3-4B-Instruct-2507-GGUF",
    "text_model.model": "Qwen3-4B-Instruct-2507-Q4_K_M.gguf",
}
"""What versions before there were profiles had as defaults, in every library's fingerprints."""


def load(profile: str | None, **given):
    return config.load({"hardware": {"profile": profile}} | given)


def named(loaded) -> dict[str, str]:
    return {name: config.get(loaded, name) for name in BEFORE}


def keys(loaded) -> dict[str, str]:
    made = fingerprints.compute(fingerprints.settings(loaded), IDENTITY)
    return {stage: content["key"] for stage, content in made.items()}


def test_without_a_profile_nothing_is_stale():
    assert named(config.load({})) == named(load(None)) == BEFORE
    explicit = {}
    for name, value in BEFORE.items():
        section, key = name.split(".")
        explicit.setdefault(section, {})[key] = value
    assert keys(config.load({})) == keys(config.load(explicit)) == keys(load("large", **explicit))


def test_a_profile_is_known_by_the_models_that_it_names():
    assert keys(load("small")) == keys(load(None))
    loaded = load("large")
    assert named(loaded).keys() == BEFORE.keys()
    assert not set(named(loaded).values()) & set(BEFORE.values())
    made = fingerprints.settings(loaded)
    assert not any(name.startswith("hardware") for settings in made.values() for name in settings)
    assert made["transcript"]["transcription.model"] == "large-v3"
    changed = {stage for stage, key in keys(loaded).items() if key != keys(load(None))[stage]}
    after = {*stages.downstream("transcript"), *stages.downstream("scenedesc")}
    assert changed == after - {*stages.TARGETS["translations"]}


@pytest.mark.parametrize("profile", PROFILES)
def test_what_a_user_names_wins(profile):
    """A name that is the default of another profile, and a file here, too."""
    given = {
        "transcription": {"model": "small"},
        "text_model": {"repo_id": None, "model": "my.gguf"},
    }
    loaded = load(profile, **given)
    assert loaded["transcription"]["model"] == "small"
    assert (loaded["text_model"]["repo_id"], loaded["text_model"]["model"]) == (None, "my.gguf")
    vision = next(m for m in PROFILES[profile].models if "description.model" in m.settings)
    assert vision.settings.items() <= named(loaded).items()


def test_a_sample_sheet_names_models_for_single_videos(tmp_path):
    sheet = tmp_path / "films.tsv"
    (tmp_path / "a.mp4").touch()
    sheet.write_text(
        "source\tid\ttranscription.model\n"
        f"{tmp_path}/a.mp4\ta\ttiny\n{tmp_path}/a.mp4\tb\tauto\n{tmp_path}/a.mp4\tc\t\n"
    )
    loaded = load("medium", videos=str(sheet), settle_seconds=0)
    found = videos.find(loaded, say=lambda line: None)
    models = {
        each.id: config.with_overrides(loaded, each.overrides)["transcription"]["model"]
        for each in found.values()
    }
    assert models == {"a": "tiny", "b": "large-v3-turbo", "c": "large-v3-turbo"}
    sheet.write_text(f"source\thardware.profile\n{tmp_path}/a.mp4\tlarge\n")
    with pytest.raises(UserError, match=r"'hardware\.profile' can't be set for one video"):
        videos.find(loaded, say=lambda line: None)


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        (
            "meduim",
            r"there is no 'meduim' \(did you mean 'medium'\?\); name one of small, medium, ",
        ),
        ("24", r"there is no '24'; name one of"),
        (8, r"there is no '8'; name one of"),
        (["small"], r"there is no '\['small'\]'"),
    ],
)
def test_an_unknown_profile_is_refused_with_the_nearest(profile, says):
    with pytest.raises(UserError, match=rf"^config: hardware\.profile: {says}"):
        load(profile)


def test_null_may_come_as_text():
    assert named(load("null")) == BEFORE


def test_a_larger_profile_needs_a_larger_gpu_and_fits_into_its_own():
    """With half a gigabyte for what else is on the screen."""
    needs = [profile.needs for profile in PROFILES.values()]
    assert needs == sorted(set(needs))
    for name, profile in PROFILES.items():
        assert model_profiles.fitting(profile.memory * 2**30 - 5e8) == name
    assert model_profiles.fitting(2**30) is None


def test_a_model_of_the_table_is_known_again():
    for name, profile in PROFILES.items():
        sections = ("transcription", "description", "text_model")
        for section, model in zip(sections, profile.models, strict=True):
            assert model_profiles.pick(load(name), section) == model
    mine = load("small", description={"mmproj": "another.gguf"})
    assert model_profiles.pick(mine, "description") is None
