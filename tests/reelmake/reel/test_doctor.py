"""`reel doctor`: what would make a run fail is found before it starts."""

import json
import re
import socket
from pathlib import Path

import huggingface_hub.constants
import pytest

from model_servers import Double
from reelmake.foundation import file_systems, process_identity
from reelmake.jobs import gpus
from reelmake.models import model_files
from reelmake.reel import doctor_models, doctor_trials, main
from reelmake.reel.finding import Finding
from workspace import ROOT

MODELS = ROOT / "demo" / "models"


@pytest.fixture
def given(tmp_path, monkeypatch):
    """The settings of a library that lacks nothing, as `--config` takes them."""
    monkeypatch.chdir(tmp_path)
    # Which the hub's client reads when it is imported, as another test may have done.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "a.mp4").write_bytes(b"x")
    return {
        "videos": "videos",
        "min_free": "1 MB",
        "hardware": {"device": "cpu"},
        "transcription": {"model": str(MODELS / "speech")},
        "description": {
            "repo_id": None,
            "model": str(MODELS / "vision" / "text.gguf"),
            "mmproj": str(MODELS / "vision" / "mmproj.gguf"),
        },
        # A GGUF file, which is all that is looked at.
        "text_model": {"repo_id": None, "model": str(MODELS / "vision" / "text.gguf")},
        "embeddings": {
            f"{name}_model": str(MODELS / "embedding" / name)
            for name in ("text", "image", "image_text")
        },
        "speakers": {
            f"{name}_model": str(MODELS / "speakers" / f"{name}.onnx")
            for name in ("segmentation", "embedding")
        },
        "cache": {"dir": str(tmp_path / "cache")},
    }


def examine(given: dict, capsys, *more: str) -> tuple[int, dict[str, Finding]]:
    """The exit status, and the worst finding of each check."""
    Path("given.yaml").write_text(json.dumps(given))
    ended = main.main(["doctor", "--json", "--configfile", "given.yaml", *more])
    found: dict[str, Finding] = {}
    for each in json.loads(capsys.readouterr().out):
        finding = Finding(**each)
        before = found.setdefault(finding.check, finding)
        if before.state == "ok":
            found[finding.check] = finding
    return ended, found


def test_nothing_is_missing(given, capsys):
    ended, found = examine(given, capsys)
    assert {name: each for name, each in found.items() if each.state != "ok"} == {}
    assert ended == 0
    assert found["videos"].says.startswith("1 ")
    assert "ctranslate2" in found["packages"].says
    assert "MB" in found["speech model"].says
    assert main.main(["doctor", "--configfile", "given.yaml"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) >= len(found)
    assert all(line.startswith("ok ") for line in said)
    # What is said stands in one column, however long the name of a check is.
    assert {line.index(found[name].says) for name, line in zip(found, said, strict=True)} == {34}


@pytest.mark.parametrize(
    ("check", "change", "says"),
    [
        ("config", {"vidoes": 1}, "did you mean 'videos'?"),
        ("videos", {"videos": "elsewhere"}, "elsewhere does not exist"),
        ("ffmpeg", {"ffmpeg": "/nowhere/ffmpeg"}, "ffmpeg is not at /nowhere/ffmpeg"),
        ("GPU, CTranslate2", {"hardware": {"device": "cuda"}}, ""),
        ("GPU, llama.cpp", {"hardware": {"device": "cuda"}}, ""),
        ("speech model", {"transcription": {"model": "/nowhere"}}, "does not exist"),
        ("speech model", {"transcription": {"model": "small"}}, "HF_HUB_OFFLINE is set"),
        ("speech model", {"transcription": {"model": "smal"}}, "check transcription.model"),
        ("vision model", {"description": {"model": "/nowhere"}}, "check description.model"),
        ("vision encoder", {"description": {"mmproj": __file__}}, "is not a GGUF file"),
        ("vision model", {"description": {"repo_id": "a/b", "model": "c"}}, "HF_HUB_OFFLINE"),
        ("disk", {"min_free": "900 TB"}, "min_free: 900.0 TB"),
    ],
)
def test_what_would_make_a_run_fail(given, capsys, check, change, says):
    if check.startswith("GPU") and any(Path("/dev").glob("nvidia[0-9]*")):
        pytest.skip("this machine has a GPU")
    for key, value in change.items():
        if isinstance(value, dict):
            given[key] |= value
        else:
            given[key] = value
    ended, found = examine(given, capsys)
    assert ended == 1
    assert found[check].state == "fail"
    assert says in found[check].says


@pytest.mark.parametrize(
    ("section", "what"),
    [("transcription", "speech"), ("description", "vision"), ("text_model", "text")],
)
def test_a_server_answers_and_has_the_model(given, capsys, section, what):
    given["stages"] = ["highlights"]
    check = f"{what} model, server"
    with Double(lambda body: (500, b""), models=["tiny"]) as double:
        given[section] = {"endpoint": double.url, "model": "tiny"}
        ended, found = examine(given, capsys)
        assert ended == 0
        assert found[check] == Finding(check, "ok", f"tiny at {double.url}")
        assert f"{what} model" not in found
        given[section]["model"] = "other"
        ended, found = examine(given, capsys)
        assert ended == 1 and "has no model other; it has tiny" in found[check].says
    ended, found = examine(given, capsys)
    assert ended == 1 and "can't be reached" in found[check].says


def test_a_full_cache_disk_only_warns(given, capsys):
    given["cache"]["size_limit"] = "900 TB"
    ended, found = examine(given, capsys)
    assert ended == 0
    assert found["cache"].state == "warn"
    assert "lower cache.size_limit" in found["cache"].fix


def test_network_file_systems(given, capsys, monkeypatch):
    mounts = [("/", "ext4"), (str(Path.cwd()), "nfs4")]
    monkeypatch.setattr(file_systems, "mounts", lambda: mounts)
    ended, found = examine(given, capsys)
    assert ended == 0
    assert found["results"].state == found["cache"].state == "warn"
    assert "(nfs4)" in found["cache"].says
    assert "local disk" in found["cache"].fix
    mounts.append((str(Path.cwd() / "cache"), "ext4"))
    (Path.cwd() / "cache").mkdir()
    assert examine(given, capsys)[1]["cache"].state == "ok"
    mounts[1] = (str(Path.cwd())[:-1], "nfs4")  # a folder whose name begins like ours
    assert "results" not in examine(given, capsys)[1]


def test_locks(given, capsys):
    def locks() -> Finding:
        return examine(given, capsys)[1]["locks"]

    assert locks() == Finding("locks", "ok", "none")
    folder = Path(".snakemake", "locks")
    folder.mkdir(parents=True)
    (folder / "0.input.lock").touch()
    assert locks().state == "fail"
    assert "snakemake --unlock" in locks().fix
    me = process_identity.this_process()
    holder = Path(".snakemake", "reelmake.lock")
    holder.write_text(json.dumps(me))
    assert (locks().state, "a run is going on" in locks().says) == ("ok", True)
    holder.write_text(json.dumps(me | {"boot": "before"}))
    assert (locks().state, "the next run clears them" in locks().says) == ("ok", True)
    holder.write_text(json.dumps(me | {"host": socket.gethostname() + "2"}))
    assert locks().state == "fail"
    assert (folder / "0.input.lock").exists()


def test_an_engine_that_does_not_start(given, capsys, monkeypatch):
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
    monkeypatch.setattr(doctor_models, "_LLAMA", crash)
    monkeypatch.setattr(doctor_models, "_SPEECH", "raise SystemExit('libcudnn is missing')")
    ended, found = examine(given, capsys)
    assert ended == 1
    assert "signal 4" in found["GPU, llama.cpp"].says
    assert "libcudnn is missing" in found["GPU, CTranslate2"].says


def test_each_engine_is_tried(given, capsys, monkeypatch):
    """With the real engines; that one crashes, or runs on the CPU beside a GPU, is simulated."""
    ended, found = examine(given, capsys, "--try")
    assert ended == 0
    assert found["trial, CTranslate2"] == Finding("trial, CTranslate2", "ok", "works on the CPU")
    for name in ("llama.cpp", "sherpa-onnx", "RapidOCR"):
        assert found[f"trial, {name}"] == Finding(f"trial, {name}", "ok", "works on the CPU")
    given["hardware"]["device"] = "auto"
    monkeypatch.setattr(doctor_trials, "uses_gpu", lambda device: True)
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr(doctor_trials, "_LLAMA", crash)
    ended, found = examine(given, capsys, "--try")
    assert ended == 1
    assert found["trial, CTranslate2"].state == "warn"
    assert found["trial, llama.cpp"].says == "it does not work: it is ended by signal 11"


@pytest.mark.parametrize(
    ("kinds", "visible", "says"),
    [
        ([], None, "compiled for the CPU alone"),
        (["CUDA"], "", "CUDA_VISIBLE_DEVICES hides it"),
        (["CUDA"], None, "finds no driver"),
    ],
)
def test_why_there_is_no_gpu(given, capsys, monkeypatch, kinds, visible, says):
    """A double for the one thing that this machine has not: the device files of a GPU."""
    given["hardware"]["device"] = "auto"
    monkeypatch.setattr(doctor_models, "uses_gpu", lambda device: True)
    monkeypatch.setattr(doctor_models, "_LLAMA", f"print(json.dumps([False, {kinds}]))")
    monkeypatch.setattr(doctor_models, "_SPEECH", "print(json.dumps([True, ['CUDA']]))")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    ended, found = examine(given, capsys)
    assert ended == 0  # it would be slow, no more
    assert found["GPU, llama.cpp"].state == "warn"
    assert says in found["GPU, llama.cpp"].says
    assert found["GPU, llama.cpp"].fix
    assert found["GPU, CTranslate2"].state == "ok"


def test_a_model_that_is_to_be_downloaded(given, capsys, monkeypatch):
    monkeypatch.setattr(model_files, "size", lambda repo_id, files: 1.5e9)
    given["transcription"]["model"] = "small"
    ended, found = examine(given, capsys)
    assert ended == 1
    assert found["speech model"].says == "small is not on this machine: 1.5 GB to download, once"
    assert found["speech model"].fix == "reel models"


@pytest.mark.parametrize(
    ("free", "profile", "state", "says"),
    [
        (
            23.0,
            "large",
            "ok",
            "description takes most, about 22.0 GB; hardware.profile: large fits",
        ),
        (
            15.0,
            "large",
            "warn",
            "description takes about 22.0 GB -> .*hardware.profile: medium fits",
        ),
        (15.0, "small", "ok", "takes most, about 5.0 GB; hardware.profile: medium fits"),
        (3.0, None, "warn", "takes about 5.0 GB -> .*smaller hardware.gpu_layers"),
        (23.0, "mine", "ok", "takes most, about 2.0 GB; hardware.profile: large fits"),
    ],
)
def test_whether_the_models_fit_the_gpu(given, capsys, monkeypatch, free, profile, state, says):
    """A double for the one thing that this machine has not: the driver's word on free memory."""
    if profile != "mine":
        for section in ("transcription", "description", "text_model"):
            del given[section]
        monkeypatch.setattr(model_files, "size", lambda repo_id, files: 1e9)
        given["hardware"]["profile"] = profile
    assert "video memory" not in examine(given, capsys)[1]  # which is not used
    given["hardware"]["device"] = "cuda"
    monkeypatch.setattr(gpus, "free_memory", lambda: [int(free * 1e9), int(40e9)])
    found = examine(given, capsys)[1]["video memory"]
    assert found.state == state
    assert found.says.startswith(f"{free:.1f} GB free, ")
    assert re.search(says, f"{found.says} -> {found.fix}")


def test_nothing_is_written(given):
    Path("given.yaml").write_text(json.dumps(given))
    before = sorted(Path().rglob("*"))
    assert main.main(["doctor", "--configfile", "given.yaml"]) == 0
    assert sorted(Path().rglob("*")) == before
