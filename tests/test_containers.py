"""The container files, which are not built here, say what the project says."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import install

ROOT = Path(__file__).resolve().parents[1]
CONTAINERS = ROOT / "containers"
DEFINITION = (CONTAINERS / "reelmake.def").read_text()
ENTRYPOINT = CONTAINERS / "entrypoint.sh"


def instructions() -> list[tuple[str, str]]:
    """Those of the Dockerfile, each as its word and the rest, on one line."""
    text = re.sub(r"^#.*\n", "", (CONTAINERS / "Dockerfile").read_text(), flags=re.M)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()]


DOCKERFILE = instructions()


def of(word: str) -> list[str]:
    return [rest for each, rest in DOCKERFILE if each == word]


def packages(script: str) -> list[list[str]]:
    """Of each `apt-get install`, the names."""
    joined = re.sub(r"\\\n", " ", script)
    return [
        [name for name in names.split() if not name.startswith("-")]
        for names in re.findall(r"apt-get install([^\n&]*)", joined)
    ]


def section(name: str) -> str:
    """A section of the Apptainer file, of the first stage that has it."""
    found = re.search(rf"^%{name}\n(.*?)(?=^%|^Bootstrap|\Z)", DEFINITION, re.M | re.S)
    assert found, name
    return found[1]


def paths() -> list[str]:
    """What of the project is copied into an image."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line[1:] for line in lines if line.startswith("!")]


def test_both_copy_the_same_and_it_is_there():
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
    copied = [rest for rest in of("COPY") if not rest.startswith("--from=")]
    assert copied == [". ."]
    assert all((ROOT / path).exists() for path in paths())
    listed = [line.split() for line in section("files").splitlines() if line.strip()]
    assert listed == [[path, f"/app/{path}"] for path in paths()]


def test_both_are_of_the_same_images_and_packages_none_of_which_moves():
    images = {
        name: image
        for image, name in (rest.split(" AS ") for rest in of("FROM") if " AS " in rest)
        if "$" not in image
    }
    for image in images.values():
        assert re.search(r":[\d.]+(-\w+-ubuntu[\d.]+)?$", image), image
    assert images["build-none"] == images["run-none"]
    versions = {re.search(r"ubuntu:?([\d.]+)$", image)[1] for image in images.values()}
    assert len(versions) == 1  # the virtual environment's Python is the system's
    defaults = dict(re.findall(r"^    (\w+)=(\S+)$", DEFINITION, re.M))
    assert (defaults["BUILD"], defaults["RUN"]) == (images["build-none"], images["run-none"])
    for page in (DEFINITION, (ROOT / "docs" / "containers.md").read_text()):
        assert f"--build-arg BUILD={images['build-cuda']}" in page
        assert f"--build-arg RUN={images['run-cuda']}" in page
    assert packages("\n".join(of("RUN"))) == packages(DEFINITION)


def test_they_install_what_make_setup_does():
    """By the same program, which reads requirements.lock: no version stands here again."""
    runs = " ".join(of("RUN"))
    how = r'GPU=.+ CMAKE_ARGS="-DGGML_NATIVE=off" python\S+ tools/install\.py \.venv'
    for script in (runs, section("post")):
        assert re.search(how, script)
        assert "pip" not in script
    assert "requirements.lock" in paths() and "tools" in paths()
    assert {"none", "cuda"} <= set(install.CMAKE)
    assert of("ARG") == ["GPU=none", "GPU"]


def test_their_python_is_one_that_the_project_is_tested_with():
    found = set(re.findall(r"python(3\.\d+)", str(DOCKERFILE) + DEFINITION))
    assert len(found) == 1
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert found <= set(workflow["jobs"]["test"]["strategy"]["matrix"]["python"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    least, has = project["requires-python"].removeprefix(">="), found.pop()
    assert [*map(int, has.split("."))] >= [*map(int, least.split("."))]


def test_nobody_is_root_and_what_is_written_is_in_volumes():
    assert not of("USER")[-1].startswith(("0", "root"))
    volumes = json.loads(of("VOLUME")[0])
    assert of("WORKDIR")[-1] in volumes  # results
    assert re.search(r"\bHOME=(\S+)", of("ENV")[0])[1] in volumes  # models and the cache


RUN = ["snakemake", "--snakefile", "/app/Snakefile"]


@pytest.mark.parametrize(
    ("given", "started"),
    [
        (["reel", "status", "a b"], ["reel", "status", "a b"]),
        (["snakemake", "--cores", "2"], [*RUN, "--cores", "2"]),
        (["-n"], [*RUN, "-n"]),
        ([], RUN),
    ],
)
def test_what_an_image_starts(tmp_path, given, started):
    assert json.loads(of("ENTRYPOINT")[0]) == [f"/app/containers/{ENTRYPOINT.name}"]
    assert f"/app/containers/{ENTRYPOINT.name}" in section("runscript")
    for name in ("reel", "snakemake"):
        double = tmp_path / name
        double.write_text(f"#!/bin/sh\nprintf '%s\\n' {name} \"$@\"\n")
        double.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    said = subprocess.check_output([ENTRYPOINT, *given], env=path, text=True)
    assert said.splitlines() == started


def test_what_is_copied_suffices_for_a_run(tmp_path):
    """From elsewhere, as in an image: its Snakefile, and results in another folder."""
    app, work = tmp_path / "app", tmp_path / "work"
    app.mkdir()
    work.mkdir()
    unwanted = {line for line in (ROOT / ".dockerignore").read_text().splitlines() if "/" in line}

    def ignored(folder: str, names: list[str]) -> list[str]:
        here = Path(folder).relative_to(ROOT)
        return [each for each in names if {f"{here}/{each}", f"**/{each}"} & unwanted]

    for path in paths():
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, app / path, ignore=ignored)
        else:
            shutil.copy(ROOT / path, app / path)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(app / "Snakefile"), "-n"]
    videos = f"videos={app}/demo/videos"
    made = subprocess.run(
        [*command, "--config", videos, "hardware={device: cpu}"],
        cwd=work,
        env=os.environ | {"PYTHONPATH": str(app / "scripts"), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    assert "new: 2 videos (conversation, demo)" in made.stdout
