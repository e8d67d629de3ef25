"""A working directory in which the real workflow runs, and what tests ask of it."""

import copy
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import yaml

from reelmake.library import config
from reelmake.library.stages import STAGES, TARGETS, chosen, stages_of

ROOT = Path(__file__).resolve().parents[1]


ARTIFACTS = (
    "media.json",
    "transcript.json",
    "transcript.srt",
    "transcript.vtt",
    "transcript.txt",
    "transcript.md",
    "scenes.json",
    "keyframes.json",
    "keyframes",
)
ENGINES = (
    *("av", "cv2", "ctranslate2", "faster_whisper", "ffmpeg", "llama_cpp", "onnxruntime"),
    *("pandas", "pysubs2", "rapidfuzz", "rapidocr", "scenedetect", "tokenizers", "yt_dlp"),
)


class Workspace:
    """A working directory in which `snakemake` runs reelmake's Snakefile.

    folder: the working directory. videos: where its videos lie.
    """

    snakefile = ROOT / "Snakefile"
    logger = "default"

    def __init__(self, folder: Path, videos: Path):
        self.folder, self.videos = folder, videos
        folder.mkdir(exist_ok=True)
        videos.mkdir(exist_ok=True)
        self.config = yaml.safe_load((ROOT / "demo" / "config.yaml").read_text())
        self.config |= {"videos": str(videos), "settle_seconds": 0}
        self.config |= {"min_free": "10 MB", "retry_wait": "0.1s"}
        self.config["cache"] = {"dir": str(folder / "cache")}
        for name in ("segmentation", "embedding"):
            path = ROOT / "demo/models/speakers" / f"{name}.onnx"
            self.config["speakers"] = self.config.get("speakers", {}) | {f"{name}_model": str(path)}
        # What comes after has tests of its own: each stage costs a run some seconds.
        self.config["stages"] = ["transcripts", "scenes", "descriptions"]
        self.config["translations"]["languages"] = []
        self.config["transcription"]["model"] = str(ROOT / "demo/models/speech")
        for name, file in (("model", "text.gguf"), ("mmproj", "mmproj.gguf")):
            self.config["description"][name] = str(ROOT / "demo/models/vision" / file)
        self.config["text_model"]["model"] = str(ROOT / "demo/models/text/model.gguf")
        for name in ("text", "image", "image_text"):
            self.config["embeddings"][f"{name}_model"] = str(ROOT / "demo/models/embedding" / name)

    @property
    def stages(self) -> list[str]:
        """The stages that a plain run makes of each video that is a file, in their order."""
        made = chosen(config.load(self.config)["stages"])
        return [stage.name for stage in stages_of(url=False) if stage.name in made]

    @property
    def rules(self) -> list[str]:
        """Their rules, sorted, as `plan` gives them."""
        return sorted(STAGES[name].rule for name in self.stages)

    def command(self, *args: str) -> list[str]:
        (self.folder / "test.yaml").write_text(yaml.safe_dump(self.config))
        return [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(self.snakefile)),
            # Tests read Snakemake's own words, but where they are of our logger.
            *("--configfile", "test.yaml", "--logger", self.logger, "--cores", "2", "--nocolor"),
            *args,
        ]

    def start(self, *args: str, **options) -> subprocess.Popen:
        """A run in a process group of its own."""
        environment = os.environ | {"HF_HUB_OFFLINE": "1"} | options.pop("env", {})
        return subprocess.Popen(
            self.command(*args),
            cwd=self.folder,
            env=environment,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def goes_on(self, process: subprocess.Popen) -> None:
        """Assert that a run has not ended; else what it said is shown."""
        assert process.poll() is None, process.communicate()[0]

    def kill(self, process: subprocess.Popen) -> None:
        """End a run and its jobs at once, if it has not ended by itself."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdout and not process.stdout.closed:
            process.communicate()

    def run(self, *args: str, ok: bool = True, **options) -> str:
        """The output of a run, whose success is `ok`."""
        process = self.start(*args, **options)
        try:
            output, _ = process.communicate(timeout=300)
        finally:
            self.kill(process)
        assert (process.returncode == 0) == ok, output
        return output

    def plan(self, *args: str) -> list[str]:
        """The jobs that a dry run lists, as rules; `rule x2` where there are two."""
        return jobs(self.run("-n", *args))

    def result(self, video: str, *path: str) -> Path:
        return self.folder.joinpath("results", video, *path)

    def json(self, video: str, *path: str):
        return json.loads(self.result(video, *path).read_bytes())

    def record(self, video: str, stage: str) -> dict:
        return self.json(video, "jobs", f"{stage}.json")

    def artifacts(self) -> dict[str, bytes]:
        """The content of every artifact but the manifests, which hold times."""
        found = {}
        for results in sorted((self.folder / "results").glob("*/")):
            for name in (*ARTIFACTS, f"{results.name}.scenedesc.msgpack"):
                path = results / name
                for file in sorted(path.glob("[!.]*")) if path.is_dir() else [path]:
                    found[f"{results.name}/{name}/{file.name}"] = file.read_bytes()
        return found

    def damage_cache(self, stage: str) -> None:
        """Flip a bit in all that the cache in `cache/` keeps of a stage."""
        db = sqlite3.connect(self.folder / "cache" / "index.sqlite")
        rows = db.execute(
            "SELECT entry, small FROM contents JOIN entries ON id = entry WHERE stage = ?", (stage,)
        ).fetchall()
        assert rows
        for entry, small in rows:
            broken = bytes([small[0] ^ 1]) + small[1:]
            db.execute("UPDATE contents SET small = ? WHERE entry = ?", (broken, entry))
        db.commit()
        db.close()

    def published(self) -> dict[str, bytes]:
        """The same of an unfinished library, folders' files apart: they come with a list."""
        found = {}
        for results in (self.folder / "results").glob("*"):
            for name in (*ARTIFACTS, f"{results.name}.scenedesc.msgpack"):
                if (results / name).is_file():
                    found[f"{results.name}/{name}/{name}"] = (results / name).read_bytes()
        return found

    def records(self, what: str) -> dict[str, str]:
        """`what` of each job record, by "video/stage"."""
        paths = sorted((self.folder / "results").glob("*/jobs/*.json"))
        return {
            f"{path.parts[-3]}/{path.stem}": json.loads(path.read_bytes()).get(what)
            for path in paths
        }

    def without_engines(self) -> dict[str, str]:
        """An environment in which importing an engine fails: a module of its name comes first.

        (numpy is none here: Snakemake itself imports it.)
        """
        folder = self.folder / "no_engines"
        folder.mkdir(exist_ok=True)
        for engine in ENGINES:
            (folder / f"{engine}.py").write_text("raise SystemExit('imported ' + __name__)")
        return {"PYTHONPATH": str(folder)}

    def reel(self, *args: str, ok: bool = True, **options) -> str:
        """What `reel` prints, errors included; its exit status is 0 if `ok`."""
        (self.folder / "test.yaml").write_text(yaml.safe_dump(self.config))
        command = [sys.executable, "-m", "reelmake.reel", *args]
        if args[0] in ("explain", "cache", "plan", "doctor"):
            command += ["--configfile", "test.yaml"]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=100,
            check=False,
            **({"stdin": subprocess.DEVNULL} | options),
        )
        assert (done.returncode == 0) == ok, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    def copy(self, folder: Path) -> "Workspace":
        """The same library elsewhere, its videos where they were."""
        shutil.copytree(self.folder, folder, symlinks=True)
        other = Workspace(folder, self.videos)
        other.config = copy.deepcopy(self.config)
        if other.config["cache"] == {"dir": str(self.folder / "cache")}:
            other.config["cache"] = {"dir": str(folder / "cache")}  # each has its own
        return other


def jobs(output: str) -> list[str]:
    """The rules in the first table of jobs, without the target's own and that of the catalog,
    which comes last wherever there is another."""
    table = re.search(r"^Job stats:\njob +count\n[- ]+\n(.*?)^total", output, re.M | re.S)
    if table is None:
        assert "Nothing to be done" in output, output
        return []
    rows = [line.split() for line in table[1].splitlines()]
    return sorted(
        rule if count == "1" else f"{rule} x{count}"
        for rule, count in rows
        if rule not in ("all", "update_catalog", *TARGETS)
    )


def snapshot(folder: Path) -> dict[str, tuple]:
    """Each file's and folder's inode, mtime and content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(folder))] = (stat.st_ino, stat.st_mtime_ns, content)
    return found


def wait_for(condition, seconds: float = 60) -> None:
    """Until `condition()`; fails after a while."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
