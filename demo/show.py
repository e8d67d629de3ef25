"""Print what the demo made: what is said, seen and written, and what was chosen of it; find it.

python demo/show.py
"""

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from reelmake.library import scene_descriptions

DEMO = Path(__file__).resolve().parent


def clock(seconds: float) -> str:
    """Seconds as m:ss.s."""
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"


def reel(*words: str) -> None:
    """Print what a command of `reel` prints."""
    command = [sys.executable, "-m", "reelmake.reel", *words]
    environment = os.environ | {"PYTHONPATH": str(DEMO.parent / "scripts")}
    sys.stdout.flush()
    subprocess.run(
        [*command, "--configfile", "config.yaml"],
        cwd=DEMO,
        env=environment,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def main() -> None:
    """Print each video's transcript, descriptions, on-screen text, highlights and trailer."""
    written: list[str] = []
    for manifest in sorted((DEMO / "results").glob("*/manifest.json")):
        results = manifest.parent
        transcript = json.loads((results / "transcript.json").read_bytes())
        described = scene_descriptions.read(results / f"{results.name}.scenedesc.msgpack")
        assert described, "the demo did not finish"
        print(
            f"\n{results.name}: what is said, and by whom (transcript.md, .vtt, .srt, .txt, .json)"
        )
        for line in (results / "transcript.md").read_text().splitlines():
            if line.startswith("**"):
                print(f"  {line.replace('**', '')}")
        print(f"\n{results.name}: the same in German (translations/transcript.de.srt, .vtt, .txt)")
        (german,) = json.loads((results / "translations.json").read_bytes())["languages"]
        for segment, text in zip(transcript["segments"], german["lines"], strict=True):
            print(f"  {clock(segment['start'])}  {text or segment['text']}")
        print(f"\n{results.name}: what is seen (keyframes/, {results.name}.scenedesc.msgpack)")
        for result in described["results"]:
            seen = result["description"] or {"visual_content": "(no description)"}
            record = result["record"]
            print(f"  {clock(record['timestamp'])}  {record['file']}  {seen['visual_content']}")
        lines = json.loads((results / "onscreen.json").read_bytes())["lines"]
        print(f"\n{results.name}: what is written in the picture (onscreen.json)")
        for line in lines:
            print(f"  {clock(line['start'])}  {line['kind']}: {line['text']}")
        if not lines:
            print("  (nothing)")
        written += [line["text"] for line in lines]
        print(f"\n{results.name}: the highlights (clips/)")
        for clip in json.loads((results / "clips.json").read_bytes())["clips"]:
            text = clip["text"].replace("\n", "; ")
            print(f"  {clock(clip['start'])}  {clip['file']}  {clip['score']} of 10: {text}")
        print(f"\n{results.name}: the beats of its trailer (trailer.mp4, .otio, .edl)")
        for beat in json.loads((results / "narrative.json").read_bytes())["beats"]:
            print(f"  {clock(beat['start'])}  {beat['beat']}: {beat['title']}")
    for query, how, *options in (
        ("the audience applauds", "in other words than the film's"),
        ("a round crimson shape", "in other words than the film's"),
        ("Hund springt", "in its German subtitles"),
        (written[0], "what is read from the screen", "--written"),
        ("circle", "what is said of it while she speaks", "--speaker", "Anna"),
    ):
        print(" ".join([f'\nreel search "{query}"', *options]) + f": {how}")
        reel("search", query, "--limit", "1", *options)
    print("\nreel speakers: who speaks (speakers.json), by the names in demo/speakers.csv")
    reel("speakers")
    print("\nAll of it, to be searched: demo/results/catalog.db (docs/catalog.md)")
    print("Everything is in demo/results/. Your own videos:")
    print("  . .venv/bin/activate && snakemake -n --config videos=~/Movies")


if __name__ == "__main__":
    main()
