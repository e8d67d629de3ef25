"""Nothing to do, over 522 finished videos, beside an empty Snakefile.

python benchmarks/noop.py [NUMBER]
"""

import os
import shutil
import sys
from pathlib import Path

from measure import ROOT, WORK, command, in_turns, table

sys.path.insert(0, str(ROOT / "scripts"))

from reelmake import artifact, config, fingerprint, manifest, source, videos
from reelmake.stages import STAGES, artifact_paths


def make_library(folder: Path, number: int) -> None:
    """Finished videos: real sidecars and manifests over small artifacts."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "videos").mkdir(parents=True)
    for count in range(number):
        (folder / "videos" / f"film{count:05}.mp4").write_bytes(b"%d" % count)
    os.chdir(folder)
    given = config.load({"videos": "videos"})
    settings = fingerprint.settings(given)
    for id, video in videos.find(given).items():
        results = Path("results") / id
        for name, wanted in fingerprint.compute(settings, source.identify(video.source)).items():
            sidecar = results / "fingerprints" / f"{name}.json"
            artifact.write_json(sidecar, wanted, durable=False)
        for stage in STAGES.values():
            for path in artifact_paths(stage, id):
                if path.endswith("/"):
                    (results / path).mkdir()
                    (results / path / "scene0000_0.jpg").write_bytes(b"jpeg")
                elif path == "media.json":
                    content = {"content": source.digest(Path(video.source))}
                    artifact.write_json(results / path, content, durable=False)
                elif not stage.temporary and stage.name != "manifest":
                    (results / path).write_bytes(b"{}" * 1000)
        written = manifest.build(results)
        artifact.write_json(results / "manifest.json", written, durable=False)


def main() -> None:
    """Print the table."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 522
    library, empty = WORK / "library", WORK / "empty"
    make_library(library, number)
    empty.mkdir(exist_ok=True)
    (empty / "Snakefile").write_text("rule all:\n    input: 'Snakefile'\n")
    snakemake = [sys.executable, "-m", "snakemake", "--cores", 2]
    ours = [*snakemake, "--snakefile", ROOT / "Snakefile", "--config", "videos=videos"]
    floor = "an empty Snakefile"
    times = in_turns(
        {
            floor: command(*snakemake, cwd=empty),
            f"reelmake, {number} finished videos": command(*ours, cwd=library),
            "the same, prune=false": command(*ours, "prune=false", cwd=library),
        },
        rounds=5 if number < 2000 else 1,
    )
    table(f"Nothing to do over {number} videos of {len(STAGES)} stages", times, beside=floor)


if __name__ == "__main__":
    main()
