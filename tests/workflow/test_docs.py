"""The documentation says what the code does: generated pages are current, commands work."""

import json
import re
import shlex
import subprocess
import sys

import pytest
from snakemake.cli import get_argument_parser

import write_docs
from reelmake.foundation import artifact_files
from reelmake.library.stages import STAGES, TARGETS
from reelmake.reel import main
from workspace import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

NOT_HERE = {
    "git clone": "fetches this repository",
    "make ": "is what runs this very test, or the demo, which test_demo.py runs",
    "source .venv": "is of a shell",
    ". .venv": "is of a shell",
    "pip install": "needs a registry",
    "ffmpeg -i": "test_chapters.py puts chapters into films",
    "export CMAKE_ARGS": "needs CUDA",
    "python benchmarks": "takes minutes",
    "openssl rand": "makes a secret",
    "rm -r": "removes what others need",
}
"""Beginnings of commands that no test of this file runs, and why."""


def commands() -> list[str]:
    """Every command of the pages: in fenced blocks, comments taken off, and within sentences."""
    found = []
    for page in PAGES:
        for block in re.findall(r"^```(?:sh|bash)?\n(.*?)^```", page.read_text(), re.M | re.S):
            for line in block.splitlines():
                line = re.sub(r"\s+#.*", "", line).strip()
                if re.match(r"(snakemake|reel|git|make|pip|ffmpeg|\.|python|rm|export) ", line):
                    found.append(line)
        prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
        lines = re.findall(r"`((?:snakemake|reel) [^`…|]+)`", prose)
        found += [line for line in lines if not re.fullmatch(r"reel \w+", line)]  # a mere name
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("path", write_docs.pages())
def test_generated_files_are_what_the_code_says(path):
    assert (ROOT / path).read_text() == write_docs.pages()[path], "run: make config"


EXAMPLES = re.findall(
    r"^### (\w+)\.json\n\n```json\n(.*?)^```",
    (ROOT / "docs" / "artifacts.md").read_text(),
    re.M | re.S,
)


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_is_what_its_schema_says(name, example):
    artifact_files.validate(json.loads(example), name)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_pages_are_built_and_fetch_nothing_from_elsewhere(tmp_path):
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    built = subprocess.run(
        [*build, "--site-dir", tmp_path], cwd=ROOT, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    found = [path for path in tmp_path.rglob("*") if path.suffix in (".html", ".css", ".svg")]
    assert len(found) > len(PAGES)
    elsewhere = r"<(script|img|link|iframe)\b[^>]*=\"?https?://|(url\(|@import )[\"']?https?://"
    for path in found:
        text = path.read_text()
        # The theme fetches what draws Mermaid's diagrams where a page has one.
        assert not re.search(elsewhere, text) and 'class="mermaid' not in text, path


REEL_FAILS = {
    "cache clean": "asks at a terminal, of which there is none here",
    "export-edl": "has no highlights: the films here are not scored",
    "doctor": "has models to download, and says so",
    "models": "has no network to download them, and says so",
    "search goal --play": "has no player, and finds nothing to play",
    "search --speaker": "finds nobody: the films here are without speakers",
    "search goal --speaker": "finds nobody",
    "speakers accept": "has no guess to accept",
    "speakers name": "finds no voice to name",
    "verify": "exits with 1 where something differs",
}
"""Commands that may end with exit status 1 here, and why."""


@pytest.fixture
def library(complete, tmp_path, monkeypatch):
    """A finished library, whose film `one` stands for the documentation's `holiday`."""
    library = complete.copy(tmp_path / "work")
    monkeypatch.chdir(library.folder)
    monkeypatch.setenv("HOME", str(tmp_path))  # where the artifact cache lies by default
    monkeypatch.setenv("BROWSER", "true")  # `--open` opens nothing
    return library


SERVE = [line for line in commands() if line.startswith("reel serve")]
"""Servers, which end when they are told to: tests/reelmake/server/ runs them."""
REEL = [line for line in commands() if line.startswith("reel ") and line not in SERVE]


@pytest.mark.parametrize("line", SERVE)
def test_a_server_of_the_documentation_has_options_that_are_there(line):
    assert main.parser().parse_args(shlex.split(line)[1:])


@pytest.mark.parametrize("line", REEL)
def test_a_command_of_the_documentation_works(library, line, capsys):
    words = shlex.split(re.split(r" && | > ", line)[0])[1:]
    named = {
        "holiday": "one",
        "holiday@1:23": "one@1:23",
        "VIDEO": "one",
        "videos=~/Movies": f"videos={library.videos}",
    }
    words = [named.get(word, word) for word in words if word != "--watch"]
    if words in (["cache", "warm"], ["explain", "one"]):  # which have to find the films
        words += ["--config", named["videos=~/Movies"]]
    may_fail = any(" ".join(words).startswith(name) for name in REEL_FAILS)
    status = main.main(words)
    said = capsys.readouterr()
    assert status == 0 or (may_fail and status == 1), said.err
    assert "Traceback" not in said.out + said.err


def test_every_other_command_is_a_run_or_it_is_said_why_it_is_not_tried():
    for line in commands():
        known = line in (*REEL, *SERVE) or line.startswith("snakemake ")
        assert known or any(line.startswith(beginning) for beginning in NOT_HERE), line


RUNS = [line for line in commands() if line.startswith("snakemake ")]


@pytest.mark.parametrize("line", RUNS)
def test_a_run_has_options_that_snakemake_knows_and_names_rules(line):
    given = get_argument_parser().parse_args(shlex.split(line)[1:])
    assert set(given.forcerun or ()) <= {stage.rule for stage in STAGES.values()}


def test_the_runs_that_are_shown_are_understood(library):
    """All targets and settings of the documentation, in one dry run."""
    targets, settings = set(), set()
    for line in commands():
        if line.startswith("snakemake "):
            for word in shlex.split(line)[1:]:
                if word in TARGETS or word.startswith("results/"):
                    targets.add(word.replace("holiday", "one"))
                elif "=" in word and not word.startswith(("-", "videos=", "failed=", "prune=")):
                    settings.add(word)
    assert len(targets) > 3 and settings
    library.logger = "reelmake"
    output = library.run("-n", *sorted(targets), "--config", *sorted(settings))
    assert "in all" in output
