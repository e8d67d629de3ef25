"""Measure the tiny speech model on held-out speech through the real faster-whisper engine; prints a Markdown table.

    python evaluate_speech.py ../models/speech

Held out are the sentences, the voices (accent and variants) and the exact speeds and pitches. Word times are compared
with the synthesizer's own.
"""

import argparse
import fractions
import io
from pathlib import Path

import numpy as np

from speech_windows import HELD_OUT_ACCENTS, HELD_OUT_VARIANTS
from synthesis import SAMPLE_RATE, speak
from vocabulary import sentences

# What the model needs: with the text before as a prompt, which it never saw in training, it loses most words.
SETTINGS = {"beam_size": 5, "temperature": 0, "condition_on_previous_text": False, "language": "en"}
COMPUTE_TYPE = "float32"
ODD = "Alicia"  # unlike all other voices; the model hears more than half of its words wrong, so it has its own rows
VOICES = [
    f"{accent}+{v}" for accent in ("en-us", "en") for v in HELD_OUT_VARIANTS if v != ODD
] + HELD_OUT_ACCENTS
# The voices and default settings that a video's maker would take first; heard in training, with other sentences.
PLAIN_VOICES = ["en-us", "en-gb", "en-us+f3", "en-us+m3", "en-gb-scotland"]


def align(reference: list[str], heard: list[str]) -> tuple[int, list[tuple[int, int]]]:
    """Word errors (the edit distance) and the index pairs of equal words."""
    table = np.zeros((len(reference) + 1, len(heard) + 1), int)
    table[:, 0], table[0] = range(len(reference) + 1), range(len(heard) + 1)
    for i, word in enumerate(reference, 1):
        for j, other in enumerate(heard, 1):
            table[i, j] = min(
                table[i - 1, j - 1] + (word != other), table[i - 1, j] + 1, table[i, j - 1] + 1
            )
    i, j, pairs = len(reference), len(heard), []
    while i and j:
        same = reference[i - 1] == heard[j - 1]
        if table[i, j] == table[i - 1, j - 1] + (not same):
            i, j = i - 1, j - 1
            if same:
                pairs.append((i, j))
        elif table[i, j] == table[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return int(table[-1, -1]), pairs[::-1]


def single_sentences(count: int, voices: list[str], seed: int):
    """`(samples, [(word, start_s, end_s)])` of held-out sentences, each with its own voice, speed and pitch."""
    rng = np.random.default_rng(seed)
    texts = sentences(seed, held_out=True)
    for i in range(count):
        voice, speed, pitch = (
            voices[i % len(voices)],
            int(rng.integers(120, 211)),
            int(rng.integers(20, 81)),
        )
        samples, words = speak(next(texts), voice, speed, pitch)
        before, after = rng.uniform(0.1, 0.6, 2)
        samples = np.pad(
            samples * rng.uniform(0.2, 1), (int(before * SAMPLE_RATE), int(after * SAMPLE_RATE))
        )
        noise = rng.standard_normal(len(samples)) * 10 ** (-rng.uniform(50, 80) / 20)
        yield (
            (samples + noise).astype(np.float32),
            [(w, s + before, e + before) for w, s, e in words],
        )


def long_file(seconds: float, voices: list[str], seed: int):
    """Samples of sentences 0.3 to 1 s apart, with some longer silences and faint noise, and the words of each."""
    rng = np.random.default_rng(seed)
    texts = sentences(seed, held_out=True)
    pieces, said, time = [], [], 0.0
    while time < seconds:
        gap = rng.uniform(2, 4) if rng.random() < 0.12 else rng.uniform(0.3, 1.0)
        voice = voices[rng.integers(len(voices))]
        samples, words = speak(
            next(texts), voice, int(rng.integers(130, 191)), int(rng.integers(30, 71))
        )
        pieces += [np.zeros(int(gap * SAMPLE_RATE), np.float32), samples * rng.uniform(0.4, 0.9)]
        time += len(pieces[-2]) / SAMPLE_RATE
        said.append([(w, s + time, e + time) for w, s, e in words])
        time += len(samples) / SAMPLE_RATE
    samples = np.concatenate([*pieces, np.zeros(SAMPLE_RATE, np.float32)])
    return (samples + rng.standard_normal(len(samples)) * 1e-3).astype(np.float32), said


def through_aac(samples: np.ndarray, bit_rate: int = 96_000) -> np.ndarray:
    """Samples as they come back from an MP4 file with AAC sound at 48 kHz, read the way faster-whisper reads a file."""
    import av
    from faster_whisper.audio import decode_audio

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48_000, layout="stereo", bit_rate=bit_rate)
        frame = av.AudioFrame.from_ndarray(
            (samples[None] * 32767).astype(np.int16), format="s16", layout="mono"
        )
        frame.sample_rate = SAMPLE_RATE
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=48_000, frame_size=1024)
        time = 0
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            # The resampler's own times repeat at the end now and then, which the muxer refuses.
            part.pts, part.time_base = time, fractions.Fraction(1, 48_000)
            time += part.samples
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    file.seek(0)
    return decode_audio(file)


def transcribe(model, samples: np.ndarray, batched: bool, **more) -> list:
    """Segments with word times, as the project would ask for them."""
    if batched:
        from faster_whisper import BatchedInferencePipeline

        more = {"batch_size": 4, "without_timestamps": False, **more}
        model = BatchedInferencePipeline(model)
    segments, _ = model.transcribe(
        samples, word_timestamps=True, **{"vad_filter": True, **SETTINGS, **more}
    )
    return list(segments)


def compare(segments: list, said: list) -> dict:
    """Word errors, word-time errors (s) of rightly heard words, and segment errors; `said` lists sentences of words."""
    reference = [word for sentence in said for word in sentence]
    heard = [word for segment in segments for word in segment.words]
    texts = [word.word.strip().lower().strip(".,!?") for word in heard]
    errors, pairs = align([word for word, _, _ in reference], texts)
    times = [abs(reference[i][1] - heard[j].start) for i, j in pairs]
    times += [abs(reference[i][2] - heard[j].end) for i, j in pairs]
    edges = []
    for sentence in said:  # each sentence's edges against the nearest segment edges
        if segments:
            edges.append(min(abs(segment.start - sentence[0][1]) for segment in segments))
            edges.append(min(abs(segment.end - sentence[-1][2]) for segment in segments))
    return {
        "errors": errors,
        "words": len(reference),
        "times": times,
        "edges": edges,
        "extra": len(segments) - len(said),
    }


def row(name: str, results: list[dict]) -> str:
    """One line of the table."""
    times = np.concatenate([r["times"] or [] for r in results])
    times = times if len(times) else np.array([np.inf])  # no word heard rightly
    edges = np.concatenate([r["edges"] for r in results])
    words = sum(r["words"] for r in results)
    rate = sum(r["errors"] for r in results) / words
    extra = sum(r["extra"] for r in results)
    median, tail, most = np.median(times), np.percentile(times, 95), np.median(edges)
    return (
        f"| {name} | {words} | {rate:.3f} | {median:.3f} s | {tail:.2f} s | {np.mean(times <= 0.15):.3f} "
        f"| {most:.2f} s | {np.percentile(edges, 95):.2f} s | {extra:+d} |"
    )


def outcome(segments: list) -> list:
    return [
        (s.start, s.end, s.text, [(w.word, w.start, w.end, w.probability) for w in s.words])
        for s in segments
    ]


def evaluate(folder: Path, singles: int, longs: int, seed: int, show: bool) -> None:
    from faster_whisper import WhisperModel

    model = WhisperModel(str(folder), device="cpu", compute_type=COMPUTE_TYPE, cpu_threads=1)
    print(
        "| held-out speech | words | word error rate | word time error, median | 95% | within 0.15 s ",
        end="",
    )
    print("| segment edge, median | 95% | segments more than sentences |")
    print("|---|---|---|---|---|---|---|---|---|")
    for label, voices in [
        ("unseen voices", VOICES),
        ("plain voices", PLAIN_VOICES),
        ("an odd voice", [f"en-us+{ODD}"]),
    ]:
        results = []
        for samples, words in single_sentences(singles, voices, seed):
            segments = transcribe(model, samples, batched=False)
            results.append(compare(segments, [words]))
            if show and results[-1]["errors"]:
                print(
                    "#",
                    " ".join(w for w, _, _ in words),
                    "->",
                    " / ".join(s.text for s in segments),
                )
        print(row(f"{singles} single sentences, {label}", results), flush=True)
        files = [
            long_file(70, [voice], seed + 100 + i)
            for i, voice in enumerate((voices * longs)[:longs])
        ]
        for sound, change in [("", lambda x: x), (" through AAC", through_aac)]:
            for mode, batched in [("sequential", False), ("batched", True)]:
                results = []
                for samples, said in files:
                    segments = transcribe(model, change(samples), batched)
                    results.append(compare(segments, said))
                    if show and results[-1]["errors"]:
                        print(
                            "# said ",
                            " / ".join(" ".join(w for w, _, _ in words) for words in said),
                        )
                        print("# heard", " / ".join(s.text.strip() for s in segments))
                print(row(f"{longs} files of 70 s{sound}, {label}, {mode}", results), flush=True)
    time = np.arange(20 * SAMPLE_RATE) / SAMPLE_RATE
    noise = np.random.default_rng(seed).standard_normal(len(time)) * 0.01
    quiet = {
        "silence": np.zeros_like(time),
        "a 440 Hz tone": np.sin(2 * np.pi * 440 * time) / 4,
        "noise": noise,
    }
    for name, samples in quiet.items():
        samples = samples.astype(np.float32)
        counts = [len(transcribe(model, samples, batched)) for batched in (False, True)]
        without = sum(
            bool(s.text.strip()) for s in transcribe(model, samples, False, vad_filter=False)
        )
        print(
            f"\n20 s of {name}: {counts[0]} segments sequential, {counts[1]} batched, {without} without voice detection"
        )
    samples, _ = long_file(70, VOICES, seed)
    for batched in (False, True):
        first, second = (outcome(transcribe(model, samples, batched)) for _ in range(2))
        print(
            f"\nTwo runs {'batched' if batched else 'sequential'}: {'the same' if first == second else 'DIFFERENT'}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = Path(__file__).resolve().parent.parent / "models" / "speech"
    parser.add_argument("model", type=Path, nargs="?", default=default, help="model folder")
    parser.add_argument(
        "--singles", type=int, default=120, help="single sentences a row (default 120)"
    )
    parser.add_argument("--longs", type=int, default=5, help="files of 70 s a row (default 5)")
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--show", action="store_true", help="show what was misheard")
    options = parser.parse_args()
    evaluate(options.model, options.singles, options.longs, options.seed, options.show)


if __name__ == "__main__":
    main()
