"""Conversations of several espeak-ng voices, with the times at which each of them speaks.

`converse` gives samples and turns; the training, the evaluation, the tests and the second film take theirs from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from speech_windows import HELD_OUT_VARIANTS, NAMED_VARIANTS, VARIANTS
from synthesis import SAMPLE_RATE, speak
from vocabulary import sentences

ACCENTS = ("en-us", "en", "en-gb-x-rp")
KNOWN_VARIANTS = ("", *VARIANTS, *NAMED_VARIANTS)
"""Of the voices that are trained on; "" is the plain voice."""


@dataclass(frozen=True)
class Voice:
    """Somebody who speaks: a variant of espeak-ng's voice, and its pitch, 0 to 99. The accent and the speed (words a
    minute) may change from sentence to sentence: they don't tell who it is."""

    variant: str
    pitch: int = 50
    accent: str = "en-us"
    speed: int = 155

    @property
    def name(self) -> str:
        """As espeak-ng has it."""
        return f"{self.accent}+{self.variant}" if self.variant else self.accent


@dataclass(frozen=True)
class Said:
    """A sentence of a voice: float32 samples at 16 kHz, and where in them the speech starts and ends, in samples."""

    samples: np.ndarray
    start: int
    stop: int


def say(text: str, voice: Voice) -> Said:
    """The voice says it."""
    samples, words = speak(text, voice.name, voice.speed, voice.pitch)
    return Said(samples, round(words[0][1] * SAMPLE_RATE), round(words[-1][2] * SAMPLE_RATE))


Turn = tuple[float, float, int]
"""Start and end in seconds, and the number of the voice."""


def converse(
    voices: Sequence[Voice], seconds: float, seed: int, overlapping: float = 0.15
) -> tuple[np.ndarray, list[Turn]]:
    """A conversation in sentences that are in no training set.

    overlapping: the share of the turns that begin before the one before ends. Returns samples (float32, 16 kHz,
    `seconds` long) and the turns, by their start; the pauses between a turn's sentences, up to 0.5 s, are part of it.
    """
    rng = np.random.default_rng(seed)
    texts = sentences(seed, held_out=True)
    sound = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    gains = rng.uniform(0.4, 0.9, len(voices))
    turns: list[Turn] = []
    at, speaker = round(rng.uniform(0.3, 1.0) * SAMPLE_RATE), -1
    while True:
        others = [number for number in range(len(voices)) if number != speaker]
        speaker = int(rng.choice(others)) if len(voices) > 1 else 0
        began = at
        for _ in range(int(rng.integers(1, 4))):  # sentences of a turn
            said = say(next(texts), voices[speaker])
            begin = at - said.start
            if begin < 0 or begin + len(said.samples) > len(sound):
                return _with_noise(sound, rng), sorted(turns)
            sound[begin : begin + len(said.samples)] += said.samples * gains[speaker]
            stop = begin + said.stop
            if turns and turns[-1][0] == began / SAMPLE_RATE:
                turns.pop()
            turns.append((began / SAMPLE_RATE, stop / SAMPLE_RATE, speaker))
            length, at = stop - at, stop + round(rng.uniform(0.15, 0.5) * SAMPLE_RATE)
        if rng.random() < overlapping:
            at = stop - round(min(rng.uniform(0.4, 1.5) * SAMPLE_RATE, 0.6 * length))
        else:
            at = stop + round(rng.uniform(0.3, 1.2) * SAMPLE_RATE)


def _with_noise(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(len(sound)).astype(np.float32)
    return np.clip(sound + noise * 10 ** (-rng.uniform(50, 70) / 20), -1, 1).astype(np.float32)


def unknown_voices(count: int, seed: int) -> list[Voice]:
    """Voices with variants that were never trained on, each with another variant. count: 5 at most."""
    rng = np.random.default_rng(seed)
    variants = rng.permutation(HELD_OUT_VARIANTS)[:count]
    return [
        Voice(
            str(variant),
            int(rng.integers(25, 76)),
            str(rng.choice(ACCENTS)),
            int(rng.integers(135, 186)),
        )
        for variant in variants
    ]


def known_voices(seed: int) -> Iterator[list[Voice]]:
    """The voices that are trained on: each time all ways in which one of them speaks."""
    rng = np.random.default_rng(seed)
    for variant in KNOWN_VARIANTS:
        for pitch in (20, 38, 56, 74):
            pitch = int(pitch + rng.integers(-4, 5))
            yield [
                Voice(
                    variant,
                    int(pitch + rng.integers(-2, 3)),
                    str(rng.choice(ACCENTS)),
                    int(rng.integers(125, 200)),
                )
                for _ in range(9)
            ]
