"""Films to the ear with known words: the set that `speech.py` measures on.

Everything is spoken by espeak-ng's voices, so that each word's text and time are known; beside it a
folder of recordings with their texts can be given.
"""

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from measure import ROOT
from numpy.typing import NDArray

sys.path.insert(0, str(ROOT / "demo" / "training"))

from synthesis import SAMPLE_RATE as RATE
from synthesis import speak
from vocabulary import sentences

Samples = NDArray[np.float32]

VOICES = ("en-us", "en-gb", "en-us+f3", "en-us+m3", "en-gb-scotland", "en-us+f2")

ENGLISH = """
The harbour was quiet when the first boats came back in the morning
My grandmother kept a small garden behind the old railway station
Nobody expected the meeting to last until late in the evening
We walked along the river and talked about the summer that had passed
The museum opens early on weekdays but it stays closed on Mondays
He carried the heavy boxes up the stairs without a single word
A cold wind came down from the mountains and shook the windows
She wrote a long letter to her brother who lived across the sea
The teacher asked the children to draw a picture of their house
After the rain the whole street smelled of wet leaves and coffee
They built the bridge in less than a year with very little money
I would rather stay at home and read than go to another party
The doctor told him to drink more water and to sleep a little longer
Every window in the tall building was dark except for one
The train to the coast leaves from the other platform today
It took them several hours to find the road back to the village
You can see the lights of the city from the top of the hill
The committee will decide next week whether the plan is accepted
His father repaired clocks and radios in a shop near the market
Please close the door behind you because the heating is broken
The orchestra played the last piece so softly that no one moved
In the autumn the fields turn yellow and the birds fly south
She had never seen so many people in such a narrow street
The bread was still warm when he brought it to the table
Our neighbour has two dogs and a parrot that can whistle
The library lends books for a month and music for a week
We lost the first game but we learned a great deal from it
There is a letter on the kitchen table with your name on it
The mechanic said that the engine would run for another ten years
Fishermen mended their nets while the sun went down behind the island
""".strip().splitlines()

SPANISH = """
El barco salió del puerto muy temprano por la mañana
Mi abuela tenía un pequeño jardín detrás de la estación
Caminamos por la orilla del río y hablamos del verano
La biblioteca presta los libros durante un mes entero
Nadie esperaba que la reunión durase hasta la noche
El médico le dijo que bebiera más agua y durmiera mejor
Desde la colina se pueden ver las luces de la ciudad
La maestra pidió a los niños que dibujaran su casa
El pan todavía estaba caliente cuando llegó a la mesa
Su padre arreglaba relojes y radios cerca del mercado
""".strip().splitlines()

GERMAN = """
Der Zug zur Küste fährt heute von einem anderen Bahnsteig ab
Meine Großmutter hatte einen kleinen Garten hinter dem Bahnhof
Wir gingen am Fluss entlang und sprachen über den Sommer
Niemand hatte erwartet dass die Sitzung bis zum Abend dauert
Der Arzt sagte ihm er solle mehr Wasser trinken
Von dem Hügel aus kann man die Lichter der Stadt sehen
Das Brot war noch warm als er es auf den Tisch legte
""".strip().splitlines()


@dataclass
class Case:
    """Sound whose words are known.

    samples: float32, mono, 16 kHz. words: what is said, in order, each with its start and end (s);
    the times are None where only the text is known.
    """

    name: str
    samples: Samples
    words: list[tuple[str, float | None, float | None]] = field(default_factory=list)


class _Tape:
    """Sound that grows sentence by sentence."""

    def __init__(self) -> None:
        self.pieces: list[Samples] = []
        self.words: list[tuple[str, float | None, float | None]] = []
        self.length = 0

    def silence(self, seconds: float) -> None:
        self._add(np.zeros(round(seconds * RATE), np.float32))

    def say(self, text: str, voice: str, loudness: float = 0.6, speed: int = 150) -> None:
        samples, words = speak(text, voice, speed)
        now = self.length / RATE
        self.words += [(word, start + now, end + now) for word, start, end in words]
        self._add(samples * np.float32(loudness))

    def samples(self, noise: float = 1e-4) -> Samples:
        """All of it, in the faint noise of a room."""
        made = np.concatenate(self.pieces)
        hiss = np.random.default_rng(1).standard_normal(len(made)) * noise
        return np.clip(made + hiss, -1, 1).astype(np.float32)

    def _add(self, samples: Samples) -> None:
        self.pieces.append(samples)
        self.length += len(samples)


def closed_vocabulary() -> Iterator[str]:
    """Sentences that the project's own tiny model knows the words of, without end."""
    return sentences(5, held_out=True)


def prose() -> Iterator[str]:
    """English sentences, over and over."""
    return itertools.cycle(ENGLISH)


def generated(texts: Iterator[str], languages: bool) -> Iterator[Case]:
    """The films of the set. texts: what is said in English. languages: others as well."""
    for number in range(12):
        tape = _Tape()
        tape.silence(0.3)
        for _ in range(1 + number % 3):
            tape.say(next(texts), VOICES[number % len(VOICES)], speed=135 + 5 * (number % 8))
            tape.silence(0.5)
        yield Case("12 short clips", tape.samples(), tape.words)

    tape = _Tape()
    rng = np.random.default_rng(3)
    while tape.length < 200 * RATE:
        tape.silence(rng.uniform(2, 12) if rng.random() < 0.15 else rng.uniform(0.3, 1))
        tape.say(next(texts), VOICES[rng.integers(len(VOICES))], rng.uniform(0.3, 0.9))
    yield Case("a long film with pauses", tape.samples(1e-3), tape.words)

    tape = _Tape()
    _talk(tape, texts, "en-us", 26, 0.8)
    _talk(tape, texts, "en-gb", 26, 0.04)
    yield Case("a loud voice, then a quiet one", tape.samples(), tape.words)

    tape = _Tape()
    greeting = next(texts)
    for _ in range(2):
        tape.say(greeting, "en-us")
        tape.silence(29)
    yield Case("the same sentence twice, 29 s apart", tape.samples(), tape.words)

    tape = _Tape()
    for place in (10, 42, 75, 130):
        tape.silence(place - tape.length / RATE)
        tape.say(next(texts), "en-us")
    tape.silence(20)
    yield Case("sentences in long silence", tape.samples(1e-3), tape.words)

    tape = _Tape()
    for number in range(14):
        tape.say(next(texts), ("en-us", "en-us+f3")[number % 2], (0.7, 0.2)[number % 2])
        tape.silence(0.2)
    two = tape.samples()
    yield Case("two voices in turn", two, tape.words)
    yield Case("the same on the telephone", _telephone(two), tape.words)
    yield Case("the same in noise (10 dB)", _mixed(two, _noise(len(two)), 10), tape.words)
    yield Case("the same over music (8 dB)", _mixed(two, _music(len(two)), 8), tape.words)

    if languages:
        tape = _Tape()
        _talk(tape, texts, "en-us", 40)
        _talk(tape, itertools.cycle(SPANISH), "es", 70)
        _talk(tape, texts, "en-us", 20)
        _talk(tape, itertools.cycle(GERMAN), "de", 26)
        yield Case("English, Spanish, English, German", tape.samples(), tape.words)

    length = 60 * RATE
    yield Case("silence", np.zeros(length, np.float32))
    yield Case("noise", _noise(length))
    yield Case("music", _music(length))


def recorded(folder: Path) -> Iterator[Case]:
    """Each sound of a folder with a text of the same name beside it (`talk.wav`, `talk.txt`)."""
    from faster_whisper.audio import decode_audio

    for text in sorted(folder.glob("*.txt")):
        for sound in sorted(folder.glob(f"{text.stem}.*")):
            if sound.suffix != ".txt":
                words = text.read_text("utf-8").split()
                yield Case(
                    sound.name, decode_audio(str(sound)), [(word, None, None) for word in words]
                )


def _talk(
    tape: _Tape, texts: Iterator[str], voice: str, seconds: float, loudness: float = 0.6
) -> None:
    end = tape.length + seconds * RATE
    while tape.length < end:
        tape.say(next(texts), voice, loudness)
        tape.silence(0.4)


def _noise(length: int) -> Samples:
    """Noise that falls by 3 dB an octave, at -20 dBFS."""
    rng = np.random.default_rng(2)
    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    return _at(np.fft.irfft(spectrum, length), 0.1)


def _music(length: int) -> Samples:
    """Chords with overtones, one each 1.5 s, and a beat, at -20 dBFS."""
    time = np.arange(length) / RATE
    made = np.zeros(length)
    for number, chord in enumerate(
        itertools.cycle(((0, 4, 7), (5, 9, 12), (7, 11, 14), (9, 12, 16)))
    ):
        begin = round(number * 1.5 * RATE)
        if begin >= length:
            break
        part = time[begin : begin + round(1.5 * RATE)]
        since = part - part[0]
        for step in chord:
            tone = 220 * 2 ** (step / 12)
            for overtone in range(1, 6):
                made[begin : begin + len(part)] += (
                    np.sin(2 * np.pi * tone * overtone * part) / overtone * np.exp(-since)
                )
        beat = np.random.default_rng(number).standard_normal(len(part)) * np.exp(-40 * since)
        made[begin : begin + len(part)] += beat
    return _at(made, 0.1)


def _at(made: NDArray[np.floating], loudness: float) -> Samples:
    return (made * loudness / np.sqrt(np.mean(np.square(made)))).astype(np.float32)


def _mixed(speech: Samples, other: Samples, decibels: float) -> Samples:
    """Both, the speech louder by so many dB (root mean square over all of it)."""
    gain = np.sqrt(np.mean(np.square(speech)) / np.mean(np.square(other)))
    return np.clip(speech + other * np.float32(gain * 10 ** (-decibels / 20)), -1, 1)


def _telephone(samples: Samples) -> Samples:
    """300 to 3,400 Hz, in the 256 steps of mu-law."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    spectrum[(frequencies < 300) | (frequencies > 3400)] = 0
    narrow = np.fft.irfft(spectrum, len(samples))
    pressed = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    steps = np.round(pressed * 127) / 127
    return (np.sign(steps) * (256 ** np.abs(steps) - 1) / 255).astype(np.float32)
