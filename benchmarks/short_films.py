"""What a film costs beside its work: many films of ten seconds, with every stage.

    python benchmarks/short_films.py [FILMS]

The workflow beside a plain script that calls the same functions of the library, one film after the
other in one process, and keeps neither records nor manifests. CPU time of all processes.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from measure import ROOT, WORK

sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "demo" / "training"))

from make_video import make_video, random_story

FILMS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
OTHERS = 10
"""So many films are made; more are copies of them with a few bytes at their end."""
SECONDS = 10


def make_films(folder: Path) -> None:
    """Films, no two of them alike."""
    if len(list(folder.glob("*.mp4"))) == FILMS:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number in range(min(FILMS, OTHERS)):
        story = random_story(seed=number, seconds=SECONDS)
        make_video(folder / f"{number:04}.mp4", *story, 320, 180)
    for number in range(OTHERS, FILMS):
        film = folder / f"{number:04}.mp4"
        shutil.copy(folder / f"{number % OTHERS:04}.mp4", film)
        with film.open("ab") as file:  # a box that players skip
            file.write((16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big"))


def workflow(films: Path, folder: Path, *more: str) -> None:
    """Run the workflow."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "models").symlink_to(ROOT / "demo" / "models")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--cores", "2", "--configfile", str(ROOT / "demo" / "config.yaml")]
    command += ["--config", f"videos={films}", "settle_seconds=0", "cache=false", *more]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"HF_HUB_OFFLINE": "1"}, capture_output=True
    )
    if done.returncode:
        raise RuntimeError(done.stdout.decode() + done.stderr.decode())


def plain(like: Path, folder: Path) -> None:
    """The same artifacts by the same functions, in this process.

    like: a finished library, whose settings and folders are taken.
    """
    import yaml

    import assemble_trailer
    import build_segments
    import cut_clips
    import describe_scenes
    import detect_scenes
    import extract_audio
    import extract_keyframes
    import probe_media
    import score_segments
    import select_highlights
    import transcribe
    import write_chapters
    import write_narrative
    import write_subtitles
    from reelmake.jobs import run_context
    from reelmake.jobs.job import Job
    from reelmake.library import config

    os.chdir(like)
    given = yaml.safe_load((ROOT / "demo" / "config.yaml").read_text())
    loaded = config.load(given | {"cache": {"enabled": False}})
    for film in sorted((like / "results").glob("*/")):
        to = folder / film.name
        shutil.copytree(film / "fingerprints", to / "fingerprints")

        def job(stage: str, to: Path = to) -> Job:
            context = run_context.of_job(loaded, stage, 2, 1, 9, [])
            sidecar = str(to / "fingerprints" / f"{stage}.json")
            return Job(sidecar, "log", run_context.RunContext(**context))

        media, sound, words = to / "media.json", to / "audio.wav", to / "transcript.json"
        scenes, frames, pictures = to / "scenes.json", to / "keyframes.json", to / "keyframes"
        described, segments = to / f"{film.name}.scenedesc.msgpack", to / "segments.json"
        scores, best, story = to / "scores.json", to / "highlights.json", to / "narrative.json"
        written = [to / f"transcript.{format}" for format in ("srt", "vtt", "txt", "md")]
        probe_media.probe_media(job("media"), media)
        extract_audio.extract_audio(job("audio"), media, sound)
        transcribe.transcribe(job("transcript"), sound, words)
        write_subtitles.write_subtitles(job("subtitles"), media, words, written)
        detect_scenes.detect_scenes(job("scenes"), media, scenes)
        extract_keyframes.extract_keyframes(job("keyframes"), media, scenes, frames, pictures)
        describe_scenes.describe_scenes(job("scenedesc"), frames, pictures, described)
        build_segments.build_segments(job("segments"), media, words, scenes, segments)
        score_segments.score_segments(job("scores"), segments, described, scores)
        select_highlights.select_highlights(job("highlights"), segments, scores, best)
        cut_clips.cut_clips(
            job("clips"), media, words, frames, best, to / "clips.json", to / "clips"
        )
        write_narrative.write_narrative(job("narrative"), segments, scores, described, story)
        chapters = (to / "chapters.ffmetadata", to / "chapters.txt")
        write_chapters.write_chapters(job("chapters"), media, scenes, described, story, *chapters)
        cuts = [to / f"trailer.{kind}" for kind in ("mp4", "otio", "edl")]
        assemble_trailer.assemble_trailer(job("trailer"), media, scenes, story, *cuts)


def spent(function, *arguments: object) -> tuple[float, float]:
    """CPU seconds, of all processes that it started too, and wall seconds."""
    before, wall = os.times(), time.perf_counter()
    function(*arguments)
    after = os.times()
    cpu = sum(now - then for now, then in zip(after[:4], before[:4], strict=True))
    return cpu, time.perf_counter() - wall


def main() -> None:
    """Print the table."""
    films, folder = WORK / f"short {FILMS}", WORK / "short films"
    make_films(films)
    ways = {"snakemake --cores 2": spent(workflow, films, folder)}
    shutil.rmtree(WORK / "short plain", ignore_errors=True)
    descriptors = os.dup(1), os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        for standard in (1, 2):
            os.dup2(nowhere.fileno(), standard)
        ways["plain script, one process"] = spent(plain, folder, WORK / "short plain")
        for standard, kept in zip((1, 2), descriptors, strict=True):
            os.dup2(kept, standard)
    print(f"\n**{FILMS} films of {SECONDS} s, every stage (aim: CPU time <= 2)**\n")
    print("| way | CPU, s | a film, s | wall, s | CPU, ratio |\n|---|---|---|---|---|")
    for name, (cpu, wall) in ways.items():
        ratio = cpu / ways["plain script, one process"][0]
        print(f"| {name} | {cpu:.1f} | {cpu / FILMS:.2f} | {wall:.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
