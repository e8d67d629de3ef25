"""What is said in a chunk of sound: voices are found, heard, and where no word came heard again."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from reelmake.models import plausible, unheard, voices
from reelmake.models.audio_chunks import RATE, Samples
from reelmake.models.served_speech import ServedSpeech
from reelmake.models.voices import Span
from reelmake.models.whisper import Speech, voiced_words
from reelmake.models.window_languages import Window

WINDOW = 30 * RATE
"""Samples that a Whisper model hears at once."""
AT_ONCE = 25 * RATE
"""The same of windows that are heard at once, in which nothing behind a wrong time is heard again:
with 30 s more words are lost (`benchmarks/speech.py --also batch_size=8`)."""
PLACES = 5
"""Windows of a chunk in which the language is looked for before it is heard."""
AGAIN = {"avg_logprob": -0.8, "no_speech_prob": 0.6}
"""Where nothing was heard at first, words count only if they are at least as likely, and silence
is at most as likely."""

LEFT_OUT = {"keep": (), "drop": ("pace",), "strict": ("pace", "repeated")}
"""What `plausible.doubt` must say for a segment to be left out, by the setting `implausible`."""

_TOLD = ("start", "end", "text", "doubt")
"""What is kept of a segment that is left out."""

Segment = dict[str, Any]
"""As `schemas/transcript.schema.json` has it, without its number; in seconds after the first sample
of the chunk."""


class Chunk(NamedTuple):
    """What is said in a chunk. Times are seconds after its first sample.

    languages: (start, end, language, how likely the model finds it; None: it was given), in order.
    places: how likely each language was in the places looked at, summed up. dropped: segments that
    nobody can have said. voiced: seconds with a voice. sure: of these, what a detector finds that
    goes deaf to quiet voices.
    """

    segments: list[Segment]
    dropped: list[Segment]
    languages: list[tuple[float, float, str, float | None]]
    places: dict[str, float]
    voiced: float
    sure: float
    unheard: list[tuple[float, float]]


class Hearing:
    """A model and the settings that it hears with (the config section `transcription`)."""

    def __init__(
        self,
        speech: Speech | ServedSpeech,
        settings: dict[str, Any],
        heard: Callable[[float], None],
    ):
        """heard: told the second up to which a chunk is heard."""
        self._speech, self._settings, self._heard = speech, settings, heard

    def chunk(self, samples: Samples, language: str | None, before: Mapping[str, float]) -> Chunk:
        """What is said in the samples.

        language: None: it is looked for. before: the `places` of the chunks before.
        """
        settings = self._settings
        sure = list(self._detect(samples))
        found = voices.find(samples, self._detect, settings["vad_level"])
        silence, pad = (round(settings[name] * RATE) for name in ("vad_min_silence", "vad_pad"))
        pieces = voices.pieces(found, len(samples), silence, pad)
        spans = pieces if settings["vad_filter"] else [(0, len(samples))]
        places, expected = dict(before), None
        if language is None and found and settings["multilingual"] is not True:
            places = self._places(samples, pieces, before)
            expected = _shares(places)
            if settings["multilingual"] is False and expected:
                language = max(expected, key=lambda name: expected[name])
        if isinstance(self._speech, ServedSpeech):
            made = self._elsewhere(self._speech, samples, spans, language)
        elif settings["batch_size"]:
            made = self._at_once(self._speech, samples, spans, language, expected)
        else:
            made = self._in_turn(samples, spans, language, expected)
        segments, dropped = self._judged(made)
        for start, end in unheard.spans(found, _words(segments)):
            made = self._again(samples, (start, end), language, expected)
            more, _ = self._judged(made)
            segments += [each for each in more if _is_sure(each) and _is_apart(each, segments)]
        segments.sort(key=lambda segment: segment["start"])
        for segment in segments:
            plausible.cut_long_words(segment, found)
        spoken = _by_language(segments)
        for segment in segments:
            del segment["window"]
        return Chunk(
            segments,
            dropped,
            spoken,
            places,
            voices.seconds(found) / RATE,
            voices.seconds(sure) / RATE,
            [(start / RATE, end / RATE) for start, end in unheard.spans(found, _words(segments))],
        )

    def filtered(self, samples: Samples, language: str | None, _: Mapping[str, float]) -> Chunk:
        """The same by the engine's own filter: silence is cut out before, and the times are put
        back. A quiet voice after a loud one is not heard then."""
        assert isinstance(self._speech, Speech)
        heard = self._speech.hear_filtered(samples, language)
        probability = None if language else round(float(heard.probability), 4)
        window, segments = Window(heard.language, probability), []
        for segment in heard.segments:
            segments.append(_record(segment, window, 0, 2 * len(samples)))
            del segments[-1]["window"]
            self._heard(segments[-1]["end"])
        end = len(samples) / RATE if heard.voiced else 0.0  # silence tells no language
        found = voices.find(samples, voiced_words)
        return Chunk(
            segments,
            [],
            [(0.0, end, *window)],
            {},
            heard.voiced,
            heard.voiced,
            [(start / RATE, end / RATE) for start, end in unheard.spans(found, _words(segments))],
        )

    def _detect(self, samples: Samples) -> Iterable[Span]:
        return voiced_words(samples, self._settings["vad_threshold"])

    def _places(
        self, samples: Samples, pieces: Sequence[Span], before: Mapping[str, float]
    ) -> dict[str, float]:
        """How likely each language is in some windows, and was before, summed up.

        Empty where the whole is one window: what it is taken for is found when it is heard.
        """
        places = dict(before)
        alone = len(pieces) == 1 and pieces[0][1] - pieces[0][0] <= WINDOW
        if not self._speech.knows_languages or (alone and not before):
            return places
        starts: list[int] = []
        for begin, end in pieces:
            for place in range(begin, max(begin + 1, end - WINDOW // 2), WINDOW):
                if not starts or place >= starts[-1] + WINDOW:
                    starts.append(place)
        most = max(PLACES, self._settings["language_detection_segments"])
        count = min(most, len(starts))
        for start in (starts[number * len(starts) // count] for number in range(count)):
            found = self._speech.languages(samples[start : start + WINDOW])
            for language, probability in found.items():
                places[language] = places.get(language, 0.0) + probability
        return {name: round(value, 6) for name, value in places.items() if value > 1e-3}

    def _in_turn(
        self,
        samples: Samples,
        spans: Iterable[Span],
        language: str | None,
        expected: Mapping[str, float] | None,
    ) -> Iterator[Segment]:
        """One piece after the other, each with its silence around it left out."""
        settings, said = self._settings, ""
        for start, end in spans:
            prompt = settings["initial_prompt"]
            if settings["condition_on_previous_text"] and said:
                prompt = " ".join(filter(None, (prompt, said)))
            said = ""
            part = samples[start:end]
            for segment, window in self._speech.hear(part, language, expected, prompt):
                made = _record(segment, window, start, end)
                said = f"{said} {made['text']}".strip()
                self._heard(made["end"])
                yield made

    def _elsewhere(
        self, speech: ServedSpeech, samples: Samples, spans: Sequence[Span], language: str | None
    ) -> Iterator[Segment]:
        """Each piece by a server, several in work at a time."""
        heard = speech.hear_each([samples[start:end] for start, end in spans], language)
        for (start, end), found in zip(spans, heard, strict=True):
            for segment, window in found:
                made = _record(segment, window, start, end)
                self._heard(made["end"])
                yield made

    def _at_once(
        self,
        speech: Speech,
        samples: Samples,
        spans: Sequence[Span],
        language: str | None,
        expected: Mapping[str, float] | None,
    ) -> Iterator[Segment]:
        """Several windows at once. That way the engine does not try again what came out badly,
        at a higher temperature: such a window is heard by itself."""
        windows = voices.windows(samples, spans, AT_ONCE, self._detect)
        if not windows:
            return
        made: dict[Span, list[Segment]] = {window: [] for window in windows}
        for segment, found in speech.hear_at_once(samples, windows, language, expected):
            middle = (segment.start + segment.end) / 2 * RATE
            window = min(windows, key=lambda each: max(each[0] - middle, middle - each[1]))
            made[window].append(_record(segment, found, 0, window[1]))
            self._heard(made[window][-1]["end"])
        for window, segments in made.items():
            if all(plausible.is_good(segment, self._settings) for segment in segments):
                yield from segments
            else:
                yield from self._in_turn(samples, [window], language, expected)

    def _again(
        self,
        samples: Samples,
        span: Span,
        language: str | None,
        expected: Mapping[str, float] | None,
    ) -> Iterator[Segment]:
        """A voice without a word once more, by itself and as loud as speech is."""
        pad = round(self._settings["vad_pad"] * RATE)
        start, end = max(0, span[0] - pad), min(len(samples), span[1] + pad)
        part = voices.as_loud_as_speech(samples[start:end])
        for segment, window in self._speech.hear(
            part, language, expected, self._settings["initial_prompt"]
        ):
            yield _record(segment, window, start, end)

    def _judged(self, made: Iterable[Segment]) -> tuple[list[Segment], list[Segment]]:
        """What may have been said, and what can't have been, by the setting `implausible`."""
        leave_out = LEFT_OUT[self._settings["implausible"]]
        kept: list[Segment] = []
        dropped: list[Segment] = []
        for segment in made:
            doubt = plausible.doubt(segment, kept)
            if doubt:
                segment["doubt"] = doubt
            (dropped if doubt in leave_out else kept).append(segment)
        return kept, [{name: each[name] for name in _TOLD} for each in dropped]


def _record(segment: Any, window: Window, start: int, end: int) -> Segment:
    """A segment of faster-whisper's. start, end: the samples of what was heard; none is later."""
    offset, latest = start / RATE, end / RATE

    def time(seconds: float) -> float:
        return min(max(float(seconds), 0.0) + offset, latest)

    return {
        "start": time(segment.start),
        "end": time(segment.end),
        "text": segment.text.strip(),
        "avg_logprob": round(float(segment.avg_logprob), 4),
        "no_speech_prob": round(float(segment.no_speech_prob), 4),
        "compression_ratio": round(float(segment.compression_ratio), 4),
        "words": [
            {
                "word": word.word.strip(),
                "start": time(word.start),
                "end": time(word.end),
                "probability": round(float(word.probability), 4),
            }
            for word in segment.words or []
        ],
        "window": window,
    }


def _words(segments: Iterable[Segment]) -> list[tuple[float, float]]:
    return [
        (word["start"], word["end"])
        for segment in segments
        for word in segment["words"] or [segment]
    ]


def _is_sure(segment: Segment) -> bool:
    return bool(
        segment["text"]
        and segment["avg_logprob"] >= AGAIN["avg_logprob"]
        and segment["no_speech_prob"] <= AGAIN["no_speech_prob"]
    )


def _is_apart(segment: Segment, others: Iterable[Segment]) -> bool:
    """Whether no word was heard where the middle of the segment is."""
    middle = (segment["start"] + segment["end"]) / 2
    return not any(start <= middle <= end for start, end in _words(others))


def _shares(places: Mapping[str, float]) -> dict[str, float] | None:
    total = sum(places.values())
    return {name: value / total for name, value in places.items()} if total else None


def _by_language(
    segments: Sequence[Segment],
) -> list[tuple[float, float, str, float | None]]:
    """From when to when each language is spoken, those of one language that follow as one."""
    found: list[tuple[float, float, str, float | None]] = []
    for segment in segments:
        language, probability = segment["window"]
        start, end = segment["start"], segment["end"]
        if found and found[-1][2] == language:
            first, last, _, before = found[-1]
            if before is not None and probability is not None:
                length, more = last - first, max(end - last, 0.0)
                whole = length + more
                mean = (before * length + probability * more) / whole if whole else before
                probability = round(mean, 4)
            found[-1] = (first, max(last, end), language, probability)
        else:
            found.append((start, end, language, probability))
    return found
