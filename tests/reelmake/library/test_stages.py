"""The table of stages, and what is asked of it by name."""

import pytest

from reelmake.library.stages import (
    STAGES,
    TARGETS,
    chosen,
    downstream,
    forced_stages,
    named_stages,
    named_videos,
)


def test_each_stage_comes_after_what_it_is_made_from():
    seen: set[str] = set()
    for stage in STAGES.values():
        assert set(stage.upstream) <= seen
        seen.add(stage.name)


def test_a_target_brings_all_that_comes_before_it():
    assert chosen(["transcripts"]) == {
        *("source", "media", "audio", "transcript", "subtitles", "manifest")
    }
    assert chosen(TARGETS) == set(STAGES)


@pytest.mark.parametrize(
    ("named", "videos"),
    [
        (["results/one/scenes.json"], ["one"]),
        (["results/one/a", "results/two/keyframes/x.jpg", "results/one/b"], ["one", "two"]),
        ([], None),
        (["scenes"], None),
        (["results/one/a", "scenes"], None),
        (["results/"], None),
        (["elsewhere/results/one/a"], None),
    ],
)
def test_files_of_videos_name_them_and_all_else_may_mean_any(named, videos):
    assert named_videos(named) == videos


def test_what_a_command_line_names():
    assert "scenes" in named_stages(["results/one/keyframes.json"])
    assert named_stages(["nonsense"]) == set()
    assert forced_stages(False, ["detect_scenes"]) == set(downstream("scenes"))
    assert forced_stages(True, []) == set(STAGES)
