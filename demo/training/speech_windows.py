"""Training windows of up to 10 s: spoken sentences mixed with pauses and disturbances, and what to say about them.

A window is what faster-whisper cuts from a file: it may begin in a pause or inside a word, hold several sentences, and
end in a pause, in the middle of a sentence, or early (the end of a file, or a clip of the voice detector).
"""

import dataclasses
import functools

import numpy as np

import speech_tokens as tokens
from synthesis import SAMPLE_RATE, speak
from vocabulary import sentences

WINDOW_S = 10.0  # `chunk_length` of the model
WINDOW_SAMPLES = int(WINDOW_S * SAMPLE_RATE)
FRAME_S = 0.02  # one encoder position
LONGEST = 96  # tokens of a window's longer sequence; 10 s of the fastest speech fit

ACCENTS = [
    "en",
    "en-us",
    "en-gb-x-rp",
    "en-gb-scotland",
    "en-029",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
]
VARIANTS = ["f1", "f2", "f3", "f4", "m1", "m2", "m3", "m5", "m7"]
NAMED_VARIANTS = [
    "Alex",
    "Andrea",
    "Andy",
    "Annie",
    "Gene",
    "Lee",
    "Mario",
    "Michael",
    "Mike",
    "adam",
    "anika",
    "announcer",
    "aunty",
    "belinda",
    "boris",
    "david",
    "ed",
    "edward",
    "grandma",
    "ian",
    "john",
    "linda",
    "max",
    "michel",
    "norbert",
    "paul",
    "quincy",
    "rob",
    "robert",
    "shelby",
    "steph",
    "travis",
    "victor",
    "zac",
    "klatt",
    "klatt2",
    "klatt4",
]
# Never trained on, for the held-out measurements.
HELD_OUT_ACCENTS = ["en-us-nyc"]
HELD_OUT_VARIANTS = ["m4", "m6", "f5", "Alicia", "benjamin"]


@dataclasses.dataclass
class Utterance:
    """A spoken sentence: float32 samples at 16 kHz, and `(word, start_s, end_s)` from its start."""

    samples: np.ndarray
    words: list

    @property
    def duration(self) -> float:
        return len(self.samples) / SAMPLE_RATE


def pick_voice(rng) -> str:
    """A random voice of the training set: an accent, mostly with a variant."""
    accent = ACCENTS[rng.choice(len(ACCENTS), p=[0.15, 0.4, 0.1, 0.1, 0.09, 0.08, 0.08])]
    kind = rng.random()
    if kind < 0.3:
        return accent
    return f"{accent}+{rng.choice(VARIANTS if kind < 0.75 else NAMED_VARIANTS)}"


def _punctuate(text: str, rng) -> str:
    """Commas and an end mark change the melody and pauses of speech; the label has neither."""
    words = text.split()
    if rng.random() < 0.12 and len(words) > 2:
        words[rng.integers(len(words) - 1)] += ","
    if rng.random() < 0.5:
        words[-1] += rng.choice([".", ".", "!", "?"])
    return " ".join(words)


def make_speakers(count: int, each: int, seed: int) -> list[list[Utterance]]:
    """`count` random voices with a fixed speed and pitch that say `each` training sentences."""
    rng = np.random.default_rng(seed)
    texts = sentences(seed)
    speakers = []
    for _ in range(count):
        voice, speed, pitch = (
            pick_voice(rng),
            int(rng.integers(115, 221)),
            int(rng.integers(15, 86)),
        )
        said = []
        for _ in range(each):
            samples, words = speak(_punctuate(next(texts), rng), voice, speed, pitch)
            said.append(
                Utterance(
                    samples, [(word.rstrip(",.!?"), start, end) for word, start, end in words]
                )
            )
        speakers.append(said)
    return speakers


@functools.cache
def _noises() -> list[np.ndarray]:
    """100 clips of 10 s, made once: making noise for each window would take longer than to learn from it."""
    rng = np.random.default_rng(0)
    return [_make_noise(rng, WINDOW_SAMPLES) for _ in range(100)]


def _noise(rng, count: int) -> np.ndarray:
    """A disturbance with an RMS of 1, float32 (count,)."""
    clip = _noises()[rng.integers(100)]
    return np.roll(clip, rng.integers(len(clip)))[:count] * rng.choice([-1, 1])


def _make_noise(rng, count: int) -> np.ndarray:
    """Coloured noise, hum, a tone or a mixture, with an RMS of 1."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    color = rng.choice([0.0, 0.5, 1.0])  # white, pink, brown
    spectrum /= np.maximum(np.arange(len(spectrum)) / len(spectrum), 0.002) ** color
    sound = np.fft.irfft(spectrum, count)
    sound /= sound.std() + 1e-9
    if rng.random() < 0.3:
        time = np.arange(count) / SAMPLE_RATE
        base = rng.choice([50, 60, 100, 120, rng.uniform(100, 2000)])
        tone = sum(
            np.sin(2 * np.pi * base * k * time + rng.uniform(0, 6)) * rng.random()
            for k in (1, 2, 3)
        )
        sound = sound * rng.uniform(0, 0.5) + tone
        sound /= sound.std() + 1e-9
    return sound.astype(np.float32)


def _disturb(samples: np.ndarray, rng) -> np.ndarray:
    """Noise at 12 to 50 dB below speech, a tilted or low-passed spectrum, another volume."""
    level = float(np.sqrt(np.mean(samples**2))) or 0.05
    if rng.random() < 0.7:
        samples = samples + _noise(rng, len(samples)) * level * 10 ** (-rng.uniform(12, 50) / 20)
    elif (
        rng.random() < 0.5
    ):  # the rounding noise of 16-bit audio; else true digital silence in the pauses
        samples = samples + rng.standard_normal(len(samples)).astype(np.float32) * 3e-5
    if rng.random() < 0.4:
        spectrum = np.fft.rfft(samples)
        hertz = np.linspace(0, SAMPLE_RATE / 2, len(spectrum))
        gain = (np.maximum(hertz, 100) / 1000) ** rng.uniform(-0.4, 0.4)
        if rng.random() < 0.5:
            gain = gain / np.sqrt(1 + (hertz / rng.uniform(3000, 8000)) ** 8)
        samples = np.fft.irfft(spectrum * gain, len(samples)).astype(np.float32)
    peak = np.abs(samples).max() + 1e-9
    return (samples / peak * 10 ** (-rng.uniform(0, 26) / 20)).astype(np.float32)


def _place(rng, speakers):
    """`[(start_s, utterance)]` of one window, and the window's length in seconds."""
    speaker = speakers[rng.integers(len(speakers))]
    mixed = rng.random() < 0.3
    kind = rng.random()
    # Where the first sentence starts: soon (after a seek or a detected voice), late, or before the window.
    first = (
        rng.uniform(0, 0.15)
        if kind < 0.3
        else rng.uniform(0, 0.8)
        if kind < 0.75
        else rng.uniform(0.8, 3)
    )
    limit = rng.integers(1, 7) if rng.random() < 0.5 else 99
    placed, time = [], first
    while time < WINDOW_S and len(placed) < limit:
        if mixed:
            speaker = speakers[rng.integers(len(speakers))]
        utterance = speaker[rng.integers(len(speaker))]
        if not placed and kind > 0.85:
            # The window begins inside this sentence, or just at its end.
            time = -utterance.duration * (rng.random() if kind > 0.9 else rng.uniform(0.93, 1.0))
        placed.append((time, utterance))
        gap = rng.uniform(0.25, 1.1) if rng.random() < 0.85 else rng.uniform(1.1, 3.5)
        time += utterance.duration + gap
    length = WINDOW_S
    if limit < 99:
        length = min(placed[-1][0] + placed[-1][1].duration + rng.uniform(0.02, 0.8), WINDOW_S)
        # A clip often ends in the silence that a file ends with.
        length = min(length + (rng.uniform(0, 3) if rng.random() < 0.15 else 0), WINDOW_S)
    return placed, max(length, 0.5)


def make_window(rng, speakers):
    """One training window.

    Returns samples (float32, at most 160,000), the timed sequence and the plain one, each a list of
    `(token, start_s, end_s)` (the seconds are where the attention belongs), and words for frames as
    `[(word or None if cut, start_s, end_s)]`.
    """
    if rng.random() < 0.06:
        return _silent_window(rng)
    placed, length = _place(rng, speakers)
    samples = np.zeros(int(length * SAMPLE_RATE), np.float32)
    said = []
    for start, utterance in placed:
        offset = int(start * SAMPLE_RATE)
        skip = max(-offset, 0)
        piece = utterance.samples[skip : skip + max(len(samples) - max(offset, 0), 0)]
        samples[max(offset, 0) : max(offset, 0) + len(piece)] += piece * 10 ** (
            rng.uniform(-4, 4) / 20
        )
        words = [(w, s + start, e + start) for w, s, e in utterance.words]
        # A word counts when nearly all of it is heard.
        whole = [w for w in words if w[1] > -0.3 * (w[2] - w[1]) - 0.01 and w[2] < length + 0.03]
        said.append((words, [(w, max(s, 0.0), min(e, length)) for w, s, e in whole]))
    frames = [
        (w if (w, max(s, 0.0), min(e, length)) in whole else None, s, e)
        for words, whole in said
        for w, s, e in words
    ]
    return _disturb(samples, rng), *_sequences(said, length), frames


def _sequences(said, length):
    """The timed and the plain sequence of a window; `said` holds `(all words, whole words)` of each sentence."""
    timed, plain = [], []
    previous_end = 0.0
    for words, whole in said:
        cut = words[-1][2] >= length + 0.03
        if not whole:
            if cut and words[0][1] < length - 0.02:
                start = min(max(words[0][1], 0.0), length)
                timed.append(
                    (
                        tokens.timestamp(start if timed else min(start, 1.0)),
                        start - 0.06,
                        start + 0.06,
                    )
                )
            continue
        start, end = whole[0][1], whole[-1][2]
        lead = [(tokens.PAUSE_ID, previous_end, start)]
        text = [(tokens.WORD_ID[w], s, e) for w, s, e in whole]
        following = next((words[0][1] for words, _ in said if words[0][1] > end), length)
        pause = [(tokens.PAUSE_ID, end, min(following, length))]
        # faster-whisper does not look for a first timestamp after 1 s.
        shown = tokens.timestamp(start if timed else min(start, 1.0))
        begin_mark = (shown, start - 0.06, start + 0.06)
        end_mark = (max(tokens.timestamp(end), shown + 5), end - 0.06, end + 0.06)
        first = not plain
        plain += (lead if first else []) + text + pause
        if not cut:
            timed += [begin_mark, *(lead if first else []), *text, *pause, end_mark]
        elif not first:
            # An unfinished sentence is left to the next window, which begins at this mark.
            timed.append(begin_mark)
        else:
            # Nothing finished: give the whole words, and let the next window begin after them.
            timed += [begin_mark, *lead, *text, *pause, end_mark, end_mark]
        previous_end = end
    if not timed:
        timed.append((tokens.timestamp(0), 0.0, 0.1))
    if not plain:
        plain.append((tokens.PAUSE_ID, 0.0, length))
    stop = (tokens.END_ID, length - 0.06, length)
    return [*timed, stop], [*plain, stop]


def _silent_window(rng):
    """Silence, noise or a tone, with nothing to say."""
    count = int(rng.uniform(0.5, WINDOW_S) * SAMPLE_RATE) if rng.random() < 0.6 else WINDOW_SAMPLES
    kind = rng.random()
    if kind < 0.2:
        samples = np.zeros(count, np.float32)
    elif kind < 0.6:
        samples = _noise(rng, count) * 10 ** (-rng.uniform(10, 70) / 20)
    else:
        time = np.arange(count) / SAMPLE_RATE
        samples = np.sin(2 * np.pi * rng.uniform(80, 4000) * time) * 10 ** (
            -rng.uniform(3, 40) / 20
        )
    length = count / SAMPLE_RATE
    timed, plain = _sequences([], length)
    return samples.astype(np.float32), timed, plain, []
