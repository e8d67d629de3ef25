"""Who speaks in a piece of sound, by sherpa-onnx; the only module that imports it."""

import contextlib
import importlib.metadata
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reelmake.foundation.errors import StageError
from reelmake.models import cuda_libraries, kept, speaker_models, voice_clusters
from reelmake.models.audio_chunks import RATE, Samples
from reelmake.models.voice_clusters import Vector

GAP = 0.5
"""Seconds: two turns of a voice with less between them are one, as sherpa-onnx has it."""
_PRINT, _STRETCH, _LEAST = 60.0, 10.0, 0.2
"""Seconds of a voice's speech that its print is made of, those that the model hears at once, and
the shortest that it can make something of."""

Span = tuple[float, float]
VoiceTurn = tuple[float, float, int]
"""Start and end (seconds of the piece), and the voice, counted from 0."""


class Engine(NamedTuple):
    """With what sherpa-onnx is loaded.

    segmentation, embedding: ONNX files. min_seconds: shorter turns are left out. device: "cpu",
    "cuda" or "auto". threads: of the CPU.
    """

    segmentation: Path
    embedding: Path
    min_seconds: float
    device: str
    threads: int

    def loaded(self) -> contextlib.AbstractContextManager["Diarizer"]:
        """It for the block; a process that does several jobs loads it once."""
        files = [self.segmentation, self.embedding]
        return kept.model(("diarization", self), files, lambda: Diarizer(self))


class Diarizer:
    """sherpa-onnx with its two models, loaded."""

    def __init__(self, engine: Engine):
        self._windows = speaker_models.require_segmentation(engine.segmentation)
        speaker_models.require_embedding(engine.embedding)
        import sherpa_onnx

        where = provider(engine.device)
        if where == "cuda":
            cuda_libraries.load()
        options = {"num_threads": engine.threads, "provider": where}
        voices = sherpa_onnx.SpeakerEmbeddingExtractorConfig(str(engine.embedding), **options)
        self._clustering = sherpa_onnx.FastClusteringConfig
        self._config = sherpa_onnx.OfflineSpeakerDiarizationConfig(
            segmentation=sherpa_onnx.OfflineSpeakerSegmentationModelConfig(
                sherpa_onnx.OfflineSpeakerSegmentationPyannoteModelConfig(str(engine.segmentation)),
                **options,
            ),
            embedding=voices,
            clustering=self._clustering(),
            min_duration_on=engine.min_seconds,
            min_duration_off=GAP,
        )
        self._least = engine.min_seconds
        self._model = sherpa_onnx.OfflineSpeakerDiarization(self._config)
        self._voices = sherpa_onnx.SpeakerEmbeddingExtractor(voices)

    def turns(
        self,
        samples: Samples,
        threshold: float,
        heard: Callable[[float], None] = lambda share: None,
    ) -> list[VoiceTurn]:
        """Start and end (seconds) and voice of each turn, by their start. heard: told the share of
        the work that is done.

        sherpa-onnx is not told how many speakers there are: it would keep to that number, and give
        one of them to a moment that is like nobody.
        """
        self._config.clustering = self._clustering(-1, threshold)
        self._model.set_config(self._config)
        seconds = len(samples) / RATE
        if len(samples) > self._windows.size:
            # What it hears in its own padding of the last window would end the process.
            lacking = -(len(samples) - self._windows.size) % self._windows.shift
            samples = np.pad(samples, (0, lacking))

        def told(done: int, total: int) -> int:
            heard(done / total)
            return 0

        found = self._model.process(samples, told)
        turns = [
            (float(turn.start), min(float(turn.end), seconds), int(turn.speaker))
            for turn in found.sort_by_start_time()
        ]
        return sorted(turn for turn in turns if turn[1] - turn[0] > self._least)

    def voice_print(
        self, samples: Samples, turns: Sequence[VoiceTurn], voice: int
    ) -> Vector | None:
        """The print of one voice: the mean of those of its longest stretches in which nobody else
        speaks, 60 s at most; None where there is too little of it."""
        own = [turn[:2] for turn in turns if turn[2] == voice]
        others = [turn[:2] for turn in turns if turn[2] != voice]
        alone = [span for span in _without(own, others) if span[1] - span[0] >= _LEAST]
        longest = sorted(alone or own, key=lambda span: span[0] - span[1])
        vectors, weights, used = [], [], 0.0
        for stretch in _stretches(longest):
            if used >= _PRINT:
                break
            length = sum(end - start for start, end in stretch)
            vector = self._vector(samples, stretch)
            if vector is not None:
                vectors.append(vector)
                weights.append(length)
            used += length
        return voice_clusters.mean(np.stack(vectors), np.array(weights)) if vectors else None

    def _vector(self, samples: Samples, spans: Iterable[Span]) -> Vector | None:
        parts = [samples[round(start * RATE) : round(end * RATE)] for start, end in spans]
        if sum(map(len, parts)) < _LEAST * RATE:
            return None
        stream = self._voices.create_stream()
        for part in parts:
            stream.accept_waveform(RATE, part)
        stream.input_finished()
        vector = np.array(self._voices.compute(stream), np.float32)
        length = float(np.linalg.norm(vector))
        return vector / length if np.isfinite(length) and length > 1e-6 else None


def _without(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What of the spans lies in none of the others, which are in order."""
    left = list(spans)
    for begin, stop in others:
        left = [
            part
            for start, end in left
            for part in ((start, min(end, begin)), (max(start, stop), end))
            if part[0] < part[1]
        ]
    return left


def _stretches(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """Spans in groups of about 10 s, as much as the model hears at once; longer ones cut."""
    group: list[Span] = []
    filled = 0.0
    for start, end in spans:
        while start < end:
            stop = min(end, start + _STRETCH - filled)
            group.append((start, stop))
            filled += stop - start
            if filled >= _STRETCH - _LEAST:
                yield group
                group, filled = [], 0.0
            start = stop
    if group:
        yield group


def provider(device: str) -> str:
    """What sherpa-onnx computes on: "cuda" where the device is no CPU and the package that is
    installed was built for it, which PyPI's are not; else "cpu"."""
    return (
        "cuda" if device != "cpu" and "cuda" in importlib.metadata.version("sherpa-onnx") else "cpu"
    )


@contextlib.contextmanager
def errors(segmentation: Path, embedding: Path) -> Iterator[None]:
    """What sherpa-onnx raises in the block, as a StageError."""
    try:
        yield
    except ImportError as error:
        raise StageError(
            f"sherpa-onnx is not installed, or can't be loaded ({error}): make setup, or leave "
            "speakers out of stages",
            kind="engine",
        ) from error
    except (RuntimeError, ValueError) as error:
        if "memory" in str(error).lower() or "alloc" in str(error).lower():
            raise StageError(
                "out of memory while the speakers are found; run fewer jobs at once (--cores)",
                kind="resources",
            ) from error
        raise StageError(
            f"sherpa-onnx fails with {segmentation} and {embedding}: {error}; check "
            f"{speaker_models.SEGMENTATION} and {speaker_models.EMBEDDING}",
            kind="engine",
        ) from error
