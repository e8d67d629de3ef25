"""The two tiny models of who speaks, and their ONNX files in the form that sherpa-onnx reads.

`Segmentation` hears 10 s and says for each of 589 frames which of at most three voices speak: the shapes, frames and
classes of pyannote's segmentation 3.0. `VoicePrint` makes a vector of a stretch of speech, from the features that
sherpa-onnx computes for WeSpeaker's models.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

RATE = 16_000
WINDOW = 10 * RATE
FRAMES, FRAME_SHIFT, FRAME_SIZE = 589, 270, 991
"""Frames of a window; samples between two of them, and that each of them sees."""
SPEAKERS = 3
CLASSES = [
    *itertools.chain.from_iterable(itertools.combinations(range(SPEAKERS), n) for n in range(3))
]
"""Who speaks, for each class: nobody, one of three, two of three, in pyannote's order."""
MELS = 80
"""Features of a frame of 10 ms, for the voice print."""
_BANDS, _HOP = 48, FRAME_SHIFT // 2
_TAPS = FRAME_SIZE - 4 * _HOP


def _filters() -> Tensor:
    """Windowed waves at mel-spaced frequencies, cosines and sines: (2 * bands, 1, taps)."""
    mel = np.linspace(*(2595 * np.log10(1 + np.array([90, 7400]) / 700)), _BANDS)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    seconds = (np.arange(_TAPS) - _TAPS // 2) / RATE
    # As wide as the distance of the bands, but no longer than there are taps.
    width = np.clip(1.0 / np.gradient(hertz), 0.0015, _TAPS / RATE / 2)[:, None]
    hann = np.where(np.abs(seconds) < width, 0.5 + 0.5 * np.cos(np.pi * seconds / width), 0)
    hann /= hann.sum(axis=1, keepdims=True)
    phase = 2 * np.pi * hertz[:, None] * seconds
    both = np.concatenate([hann * np.cos(phase), hann * np.sin(phase)])
    return torch.tensor(both[:, None], dtype=torch.float32)


class Recall(nn.Module):
    """Where in the window each moment's voice was heard: states (batch, time, width) to (batch, time, `size`).

    Attention by the likeness of the states (cosine) that also prefers what is early, late or neither, so that a
    moment learns when its voice spoke first. What it gets is that time, and what was heard then.
    """

    def __init__(self, width: int, heads: int = 4, dims: int = 24, told: int = 12) -> None:
        super().__init__()
        self.heads, self.size = heads, heads * (told + 2)
        self.key, self.value = nn.Linear(width, heads * dims), nn.Linear(width, heads * told)
        self.counts = nn.Linear(width, heads)  # a silent moment is like all silent moments
        self.sharpness = nn.Parameter(torch.full((heads, 1, 1), 8.0))
        self.slope = nn.Parameter(torch.tensor([0.0, 6.0, 12.0, -8.0])[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        batch, time, _ = x.shape
        keys = F.normalize(self.key(x).reshape(batch, time, self.heads, -1), dim=3).transpose(1, 2)
        place = torch.linspace(0, 1, time)
        likeness = self.sharpness * (keys @ keys.transpose(2, 3)) - self.slope * place
        likeness = likeness + self.counts(x).transpose(1, 2)[:, :, None]
        values = self.value(x).reshape(batch, time, self.heads, -1).transpose(1, 2)
        places = torch.stack([place, place**2], dim=1).expand(batch, self.heads, time, 2)
        told = likeness.softmax(dim=3) @ torch.cat([values, 3 * places], dim=3)
        return told.transpose(1, 2).reshape(batch, time, self.size)


class Segmentation(nn.Module):
    """Samples (batch, 1, 160000) to the logarithms of the classes' likelihoods, (batch, 589, 7).

    Convolutions hear what somebody's voice is like around each 34 ms; attention and a recurrent layer, at half that
    rate, tell the voices of the window from each other; each of their states says four frames.
    """

    def __init__(self, width: int = 80, hidden: int = 64) -> None:
        super().__init__()
        self.register_buffer("filters", _filters())
        sizes = ((_BANDS, 64, 5, 2, 1), (64, width, 3, 2, 1))
        sizes += tuple((width, width, 3, 1, step) for step in (1, 3, 5, 9))
        self.layers = nn.ModuleList(
            nn.Conv1d(before, after, taps, stride, 0 if before == _BANDS else step, step)
            for before, after, taps, stride, step in sizes
        )
        self.first = nn.BatchNorm1d(_BANDS)
        self.norms = nn.ModuleList(nn.BatchNorm1d(layer.out_channels) for layer in self.layers)
        self.halve = nn.Conv1d(width, width, 3, 2, 1)
        self.recall = Recall(width)
        self.heard = nn.GRU(width + self.recall.size, hidden, batch_first=True, bidirectional=True)
        self.mixed = nn.Linear(2 * hidden, 64)
        self.out = nn.Linear(64, 4 * len(CLASSES))

    def voices(self, samples: Tensor) -> Tensor:
        """(batch, width, 295): what is heard around each two frames."""
        waves = F.conv1d(samples, self.filters, stride=_HOP)
        power = waves[:, :_BANDS] ** 2 + waves[:, _BANDS:] ** 2
        x = self.first(torch.log(power + 1e-7))
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = norm(F.relu(layer(x)))
        return x

    def said(self, voices: Tensor) -> Tensor:
        x = F.relu(self.halve(voices)).transpose(1, 2)
        x, _ = self.heard(torch.cat([x, self.recall(x)], dim=2))
        x = self.out(F.relu(self.mixed(x)))
        x = x.reshape(x.shape[0], 4 * x.shape[1], len(CLASSES))
        return F.log_softmax(x[:, :FRAMES], dim=2)

    def forward(self, samples: Tensor) -> Tensor:
        return self.said(self.voices(samples))


class VoicePrint(nn.Module):
    """Features (batch, frames, 80), of which the mean was taken off, to vectors (batch, dims)."""

    def __init__(self, dims: int = 64, width: int = 96) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv1d(before, width, size, padding=size // 2 * step, dilation=step)
            for before, size, step in ((MELS, 5, 1), (width, 3, 2), (width, 3, 3), (width, 1, 1))
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in self.layers)
        self.out = nn.Linear(2 * width, dims)

    def forward(self, features: Tensor) -> Tensor:
        x = features.transpose(1, 2)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = norm(F.relu(layer(x)))
        mean = x.mean(dim=2)
        spread = ((x - mean[:, :, None]) ** 2).mean(dim=2)
        return self.out(torch.cat([mean, torch.sqrt(spread + 1e-5)], dim=1))


def write_segmentation(model: Segmentation, path: Path) -> None:
    """Write it with the metadata of pyannote's segmentation 3.0."""
    _export(model, torch.zeros(1, 1, WINDOW), path, {"x": {0: "N"}, "y": {0: "N"}})
    _describe(
        path,
        num_speakers=SPEAKERS,
        powerset_max_classes=2,
        num_classes=len(CLASSES),
        sample_rate=RATE,
        window_size=WINDOW,
        receptive_field_size=FRAME_SIZE,
        receptive_field_shift=FRAME_SHIFT,
        model_type="pyannote-segmentation-3.0",
        version=1,
        model_author="reelmake",
    )


def write_voice_print(model: VoicePrint, path: Path, dims: int = 64) -> None:
    """Write it with the metadata of a WeSpeaker model."""
    _export(model, torch.zeros(1, 200, MELS), path, {"x": {0: "N", 1: "T"}, "y": {0: "N"}})
    _describe(
        path,
        framework="wespeaker",
        language="English",
        url="demo/training",
        comment="espeak-ng's voices",
        sample_rate=RATE,
        output_dim=dims,
        normalize_samples=0,
        feature_normalize_type="global-mean",
    )


def write_features(path: Path) -> None:
    """Write a "model" whose vector is its features: so sherpa-onnx gives those that it computes."""
    _export(_Flat(), torch.zeros(1, 200, MELS), path, {"x": {0: "N", 1: "T"}})
    _describe(
        path,
        framework="wespeaker",
        language="English",
        sample_rate=RATE,
        output_dim=MELS,
        normalize_samples=0,
    )


class _Flat(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return features.flatten(1) + 0.0


def _export(model: nn.Module, example: Tensor, path: Path, axes: dict) -> None:
    model.eval()
    torch.onnx.export(
        model,
        (example,),
        str(path),
        input_names=["x"],
        output_names=["y"],
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )


def _describe(path: Path, **said: object) -> None:
    import onnx

    model = onnx.load(str(path))
    del model.metadata_props[:]
    for key, value in said.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
