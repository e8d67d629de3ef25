"""What it costs to find out who speaks: beside the transcript of the same sound, and beside
sherpa-onnx called by itself, which hears all of it at once.

python benchmarks/speakers.py                          # the project's own tiny models, an hour
python benchmarks/speakers.py --hours 1 8              # eight by the project alone, else: --alone 8
python benchmarks/speakers.py segmentation.onnx embedding.onnx
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np
from measure import ROOT
from scipy.optimize import linear_sum_assignment

sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "demo" / "training"))

from conversations import Turn, Voice, converse
from reelmake.library import config
from reelmake.models import diarization, transcription
from reelmake.models.audio_chunks import RATE, WavFile

MODELS = ROOT / "demo" / "models"
VOICES = (Voice("", 50), Voice("f3", 50), Voice("m3", 35), Voice("f1", 65))
MINUTES = 20
"""Of conversation, which a longer sound repeats."""
THRESHOLD = 0.6
"""As demo/config.yaml has it."""
TRANSCRIPT, PIECES, ALONE = "transcript", "speakers", "sherpa-onnx by itself"


def write_sound(path: Path, hours: float) -> list[Turn]:
    """A conversation of four voices, as the stage `audio` writes it; who speaks when in it."""
    sound, turns = converse(VOICES, MINUTES * 60, seed=1)
    part = (sound * 32767).astype(np.int16)
    left = round(hours * 3600 * RATE)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        while left > 0:
            file.writeframesraw(part[:left].tobytes())
            left -= len(part)
    starts = np.arange(0, hours * 3600, MINUTES * 60)
    moved = [
        (float(at) + start, float(at) + end, who) for at in starts for start, end, who in turns
    ]
    return [turn for turn in moved if turn[1] < hours * 3600]


def measured(way: str, path: Path, models: list[Path]) -> tuple[float, float, int, list[Turn]]:
    """CPU seconds, wall seconds, peak bytes and turns of one way, in a process of its own."""
    cpu, wall = time.process_time(), time.perf_counter()
    turns: list[Turn] = []
    if way == TRANSCRIPT:
        given = {"compute_type": "float32", "language": "en", "temperature": 0}
        settings = config.load({"transcription": given})["transcription"]
        transcription.transcribe(WavFile(path), settings, str(MODELS / "speech"), "cpu", threads=1)
    elif way == PIECES:
        found = diarization.diarize(
            WavFile(path), *models, threshold=THRESHOLD, device="cpu", threads=1
        )
        turns = [tuple(turn) for turn in found.turns]
    else:
        turns = by_itself(path, *models)
    # Not ru_maxrss, which begins with what the parent had.
    status = Path("/proc/self/status").read_text().split()
    peak = int(status[status.index("VmHWM:") + 1]) * 1024
    return time.process_time() - cpu, time.perf_counter() - wall, peak, turns


def by_itself(path: Path, segmentation: Path, embedding: Path) -> list[Turn]:
    """The turns that sherpa-onnx finds, called as its documentation shows it."""
    import sherpa_onnx

    engine = sherpa_onnx.OfflineSpeakerDiarization(
        sherpa_onnx.OfflineSpeakerDiarizationConfig(
            sherpa_onnx.OfflineSpeakerSegmentationModelConfig(
                sherpa_onnx.OfflineSpeakerSegmentationPyannoteModelConfig(str(segmentation))
            ),
            sherpa_onnx.SpeakerEmbeddingExtractorConfig(str(embedding)),
            sherpa_onnx.FastClusteringConfig(-1, THRESHOLD),
        )
    )
    found = engine.process(WavFile(path)[:]).sort_by_start_time()
    return [(turn.start, turn.end, turn.speaker) for turn in found]


def right(turns: list[Turn], said: list[Turn], seconds: float) -> float:
    """The share of the spoken time in which the right speaker is found, one found for each."""
    at = np.arange(0, seconds, 0.1)

    def table(told: list[Turn]) -> np.ndarray:
        made = np.zeros((1 + max((who for *_, who in told), default=0), len(at)), bool)
        for start, end, who in told:
            made[who, (start <= at) & (at < end)] = True
        return made

    truth, found = table(said), table(turns)
    both = (truth[:, None] & found[None]).sum(axis=2)
    return float(both[linear_sum_assignment(-both)].sum() / truth.sum())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tiny = [MODELS / "speakers" / f"{name}.onnx" for name in ("segmentation", "embedding")]
    parser.add_argument("models", nargs="*", type=Path, default=tiny, metavar="ONNX")
    parser.add_argument("--hours", nargs="+", type=float, default=[1.0])
    parser.add_argument(
        "--alone", type=float, default=1.0, help="hours that the engine gets at most"
    )
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--sound", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(measured(given.way, given.sound, given.models)))
        return
    print("\nOne thread. A conversation of four voices, the same 20 minutes again and again.\n")
    print("| sound | way | wall, s | CPU, s | of real time | peak memory, MB | speakers | right |")
    print("|---|---|---|---|---|---|---|---|")
    for hours in given.hours:
        with tempfile.TemporaryDirectory() as folder:
            sound = Path(folder) / "audio.wav"
            said = write_sound(sound, hours)
            ways = [*([ALONE] if hours <= given.alone else []), PIECES, TRANSCRIPT]
            for way in ways:
                command = [sys.executable, __file__, *map(str, given.models), "--way", way]
                made = subprocess.run(
                    [*command, "--sound", str(sound)],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    check=True,
                )
                cpu, wall, peak, turns = json.loads(made.stdout.splitlines()[-1])
                seconds, told = hours * 3600, "| | |"
                if way != TRANSCRIPT:
                    number = len({who for *_, who in turns})
                    told = f"| {number} | {right(turns, said, seconds):.3f} |"
                print(
                    f"| {hours:g} h | {way} | {wall:.0f} | {cpu:.0f} | {wall / seconds:.4f} "
                    f"| {peak / 1e6:.0f} {told}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
