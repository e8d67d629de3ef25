"""How long `reel cache warm` takes for 1,000 videos, beside the runs that it saves.

python benchmarks/warm.py [NUMBER]
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from measure import ROOT, WORK, command

sys.path.insert(0, str(ROOT / "scripts"))

import yaml

from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.library import config, fingerprints, scene_descriptions, sources, videos
from reelmake.library.stages import STAGES, artifact_paths

FOLDER = WORK / "warm"
DEMO = ROOT / "demo"


def fill(given: config.Config, finished: Path) -> None:
    """Put the finished demo's artifacts into the cache as those of every video."""
    settings = fingerprints.settings(given)
    cache = memoized_job.opened(given["cache"], print)
    media = artifact_files.read_json(finished / "media.json")
    for id, video in videos.find(given).items():
        results = Path("made") / id
        shutil.copytree(finished, results)
        seen = scene_descriptions.read(results / f"{finished.name}.scenedesc.msgpack")
        scene_descriptions.write(results / f"{id}.scenedesc.msgpack", **seen)
        content = sources.digest(Path(video.source))
        artifact_files.write_json(
            results / "media.json", media | {"content": content}, durable=False
        )
        wanted = fingerprints.compute(settings, sources.identify(video.source))
        for stage in STAGES.values():
            if stage.cached and stage.name in wanted:
                key = memoized_job.key(results, stage, wanted, content)
                paths = zip(stage.artifacts, artifact_paths(stage, id), strict=True)
                files = {name: results / path for name, path in paths}
                cache.put(key, stage.name, stage.version, files, 60, content)
    cache.close()


def main() -> None:
    """Print the table."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    demo = command(
        sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", 2,
        "--configfile", "config.yaml", cwd=DEMO,
    )  # fmt: skip
    demo()
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "videos").mkdir(parents=True)
    os.chdir(FOLDER)
    for count in range(number):
        Path("videos", f"film{count:05}.mp4").write_bytes(b"%d" % count)
    given = {"videos": "videos", "cache": {"dir": "cache"}, "settle_seconds": 0}
    given["stages"] = ["transcripts", "descriptions"]  # clips and trailers are not in the cache
    Path("config.yaml").write_text(yaml.safe_dump(given))
    fill(config.load(given), DEMO / "results" / "demo")
    warm = [sys.executable, "-m", "reelmake.reel", "cache", "warm", "--json"]
    started = time.perf_counter()
    done = subprocess.run(
        [*warm, "--configfile", "config.yaml"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - started
    warmed = json.loads(done.stdout)
    if (warmed["finished"], warmed["missing"]) != (number, 0):
        raise RuntimeError(f"not everything was restored: {warmed}")
    print(f"\n**`reel cache warm` of {number} videos (aim: 1,000 in under 10 s)**\n")
    print("| artifacts | seconds | a video | artifacts a second |\n|---|---|---|---|")
    each = f"{1000 * seconds / number:.1f} ms"
    print(f"| {warmed['restored']} | {seconds:.1f} | {each} | {warmed['restored'] / seconds:.0f} |")


if __name__ == "__main__":
    main()
