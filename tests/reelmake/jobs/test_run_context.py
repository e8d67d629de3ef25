"""What a run tells its jobs, and nothing that changes what they make."""

import pytest

from reelmake.jobs import run_context
from reelmake.jobs.run_context import RunContext
from reelmake.library import config
from reelmake.library.stages import STAGES


def of(stage: str, **given: object) -> RunContext:
    complete = config.load(given)
    return RunContext(**run_context.of_job(complete, stage, 3, 2, 5, {"scenes"}))


@pytest.mark.parametrize("stage", STAGES)
def test_it_holds_the_stage_s_models_and_no_others(stage):
    found = of(stage)
    assert set(found.models) == set(STAGES[stage].models)
    assert (found.threads, found.gpus_at_once, found.audio_limit) == (3, 2, 5)
    assert found.forced == ["scenes"]


def test_a_model_of_the_hub_has_its_repository():
    assert of("scenedesc").repo_id == "ggml-org/Qwen2.5-VL-3B-Instruct-GGUF"
    assert of("scores", text_model={"repo_id": None, "model": "a.gguf"}).repo_id is None
    assert of("transcript").models == {"transcription.model": "small"}


def test_a_server_that_has_the_model_is_told_with_how_it_is_asked():
    given = {"text_model": {"endpoint": "http://a/v1"}, "hardware": {"requests_at_once": 7}}
    for stage in ("scores", "narrative"):
        found = of(stage, **given)
        assert (found.endpoint, found.requests_at_once, found.request_timeout) == (
            *("http://a/v1", 7),
            600.0,
        )
    assert of("scenedesc", **given).endpoint is None
    assert of("media", **given).endpoint is None


def test_on_the_cpu_no_layer_goes_to_a_gpu():
    assert of("scores").gpu_layers == -1
    assert of("scores", hardware={"device": "cpu"}).gpu_layers == 0


def test_times_and_sizes_are_numbers():
    found = of("media", retry_wait="2m", min_free="1 GB", retries=3)
    assert (found.retry_wait, found.min_free, found.retries) == (120.0, 1e9, 3)


def test_forced_stages_go_to_every_snakemake_that_this_one_starts(monkeypatch):
    monkeypatch.delenv("REELMAKE_FORCED", raising=False)
    assert run_context.told_forced() == set()
    monkeypatch.setenv("REELMAKE_FORCED", "[]")
    run_context.tell_forced({"scenes", "media"})
    assert run_context.told_forced() == {"scenes", "media"}
