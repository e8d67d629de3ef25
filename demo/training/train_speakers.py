"""Train the two tiny models of who speaks on generated conversations, and write them as ONNX files.

    python train_speakers.py --out ../models/speakers          about 25 minutes on one core

The voice print comes first: it learns to name the voice of a stretch of speech. Then the segmentation, on windows of
up to three voices whose numbers may be permuted; beside it a layer that training alone has names the voices, which
shows the model early what to listen for.
"""

from __future__ import annotations

import argparse
import itertools
import math
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from conversations import Said, known_voices, say
from speaker_models import (
    CLASSES,
    FRAME_SHIFT,
    FRAME_SIZE,
    FRAMES,
    MELS,
    RATE,
    SPEAKERS,
    WINDOW,
    Segmentation,
    VoicePrint,
    write_features,
    write_segmentation,
    write_voice_print,
)
from speech_windows import _disturb, _noise
from vocabulary import sentences

Bank = list[list[Said]]
"""For each voice what it says."""


def record(seed: int) -> Bank:
    """All voices of the training set with their sentences."""
    texts = sentences(seed)
    return [[say(next(texts), way) for way in ways] for ways in known_voices(seed)]


def rate_at(share: float, peak: float) -> float:
    """The learning rate after a share of the time: a short warm-up, then a cosine."""
    return peak * min(1.0, share / 0.03) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))


# The voice print


def features_of(bank: Bank, seed: int, folder: Path) -> list[list[np.ndarray]]:
    """The engine's features of each sentence, as it is and disturbed: (frames, 80)."""
    import sherpa_onnx

    write_features(folder / "features.onnx")
    engine = sherpa_onnx.SpeakerEmbeddingExtractor(
        sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=str(folder / "features.onnx"))
    )
    rng = np.random.default_rng(seed)
    made = []
    for voice in bank:
        made.append([])
        for said in voice:
            speech = said.samples[said.start : said.stop]
            for sound in (speech * rng.uniform(0.2, 0.9), _disturb(speech, rng)):
                stream = engine.create_stream()
                stream.accept_waveform(RATE, sound)
                stream.input_finished()
                made[-1].append(np.array(engine.compute(stream), np.float32).reshape(-1, MELS))
    return made


def train_voice_print(bank: Bank, minutes: float, seed: int) -> VoicePrint:
    """Angular margins (additive, 0.2) between the voices, on stretches of 0.4 to 4 s."""
    with tempfile.TemporaryDirectory() as folder:
        features = features_of(bank, seed, Path(folder))
    rng = np.random.default_rng(seed)
    model, centers = VoicePrint(), nn.Parameter(torch.randn(len(bank), 64) * 0.1)
    optimizer = torch.optim.AdamW([*model.parameters(), centers], weight_decay=0.02)
    began, step, right, seen = time.time(), 0, 0, 0
    while (share := (time.time() - began) / 60 / minutes) < 1:
        optimizer.param_groups[0]["lr"] = rate_at(share, 0.003)
        length = int(rng.choice([40, 70, 110, 170, 250, 400]))
        voices = rng.integers(len(bank), size=64)
        batch = np.stack([_stretch(features[voice], length, rng) for voice in voices])
        batch -= batch.mean(axis=1, keepdims=True)
        vectors = F.normalize(model(torch.tensor(batch)), dim=1)
        cosines = vectors @ F.normalize(centers, dim=1).T
        labels = torch.tensor(voices)
        margin = 0.2 * min(1.0, share * 4) * F.one_hot(labels, len(bank))
        angles = torch.acos(cosines.clamp(-0.999, 0.999)) + margin
        loss = F.cross_entropy(24 * torch.cos(angles), labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step, seen = step + 1, seen + 64
        right += int((cosines.argmax(1) == labels).sum())
        if step % 200 == 0:
            print(f"voice print {step}: loss {loss:.3f}, {right / seen:.3f} named", flush=True)
            right = seen = 0
    return model


def _stretch(sentences: list[np.ndarray], length: int, rng: np.random.Generator) -> np.ndarray:
    """So many frames of a voice, of as many sentences as it takes."""
    parts, frames = [], 0
    kind = rng.integers(2)
    while frames < length:
        said = sentences[2 * rng.integers(len(sentences) // 2) + kind]
        begin = rng.integers(max(1, len(said) - 30))
        parts.append(said[begin : begin + length - frames])
        frames += len(parts[-1])
    return np.concatenate(parts)


# The segmentation


def window(bank: Bank, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """10 s of a conversation: samples, who speaks in each frame (589, 3), and their numbers in the bank."""
    count = int(rng.choice([1, 2, 3], p=[0.25, 0.5, 0.25]))
    voices = [int(voice) for voice in rng.choice(len(bank), count, replace=False)]
    gains = 10 ** (-rng.uniform(0, 8, count) / 20)
    sound, active = np.zeros(WINDOW, np.float32), np.zeros((FRAMES, SPEAKERS), np.float32)
    if rng.random() < 0.94:
        at = int(rng.uniform(-2.5, 2.0) * RATE)
        speaker = int(rng.integers(count))
        overlapping, pausing = rng.choice([0.0, 0.2, 0.5]), rng.uniform(0.2, 1.5)
        while at < WINDOW:
            said = bank[voices[speaker]][rng.integers(len(bank[0]))]
            begin = at - said.start
            _add(sound, said.samples * gains[speaker], begin)
            _mark(active[:, speaker], at, begin + said.stop)
            length, stop = said.stop - said.start, begin + said.stop
            again = rng.random() < 0.35 or count == 1
            if not again and rng.random() < overlapping:
                at = stop - int(min(rng.uniform(0.2, 1.8) * RATE, 0.8 * length))
            else:
                at = stop + int(rng.uniform(0.05, pausing) * RATE)
                at += int(rng.random() < 0.1) * int(rng.uniform(1, 4) * RATE)
            if not again:
                speaker = (speaker + int(rng.integers(1, count))) % count
    active *= active.sum(axis=1, keepdims=True) < SPEAKERS  # no class has all three
    if rng.random() < 0.12:
        sound = sound + _tones(rng)
    if np.abs(sound).max() > 0:
        sound = _disturb(sound, rng)
    elif rng.random() < 0.7:
        sound = sound + _noise(rng, WINDOW) * 10 ** (-rng.uniform(20, 70) / 20)
    if rng.random() < 0.12:  # the end of a film, and nothing after it
        end = int(rng.uniform(0.1, 1) * WINDOW)
        sound[end:] = 0
        active[max(0, (end - FRAME_SIZE // 2) // FRAME_SHIFT) :] = 0
    return sound.astype(np.float32), active, voices


def _add(sound: np.ndarray, samples: np.ndarray, begin: int) -> None:
    skip = max(0, -begin)
    part = samples[skip : skip + max(0, len(sound) - max(0, begin))]
    sound[max(0, begin) : max(0, begin) + len(part)] += part


def _mark(active: np.ndarray, start: int, stop: int) -> None:
    """A frame counts by the sample in its middle."""
    first = math.ceil((start - FRAME_SIZE / 2) / FRAME_SHIFT)
    last = math.ceil((stop - FRAME_SIZE / 2) / FRAME_SHIFT)
    active[max(0, first) : max(0, last)] = 1


def _tones(rng: np.random.Generator) -> np.ndarray:
    """Music of a kind: chords that change, which are nobody's speech."""
    seconds, made = np.arange(WINDOW) / RATE, np.zeros(WINDOW, np.float32)
    for _ in range(int(rng.integers(1, 5))):
        start, stop = np.sort(rng.integers(WINDOW, size=2))
        base = rng.uniform(80, 900)
        for factor in rng.choice([1, 1.25, 1.5, 2, 3, 4], 3, replace=False):
            wave = np.sin(2 * np.pi * base * factor * seconds[start:stop] + rng.uniform(0, 6))
            made[start:stop] += wave.astype(np.float32) * rng.uniform(0.02, 0.2)
    return made


_PERMUTATIONS = list(itertools.permutations(range(SPEAKERS)))
_CLASS_OF = torch.zeros(2, 2, 2, dtype=torch.long)
for _number, _who in enumerate(CLASSES):
    _CLASS_OF[tuple(int(speaker in _who) for speaker in range(SPEAKERS))] = _number


def permuted_loss(said: Tensor, active: Tensor) -> Tensor:
    """Cross-entropy under the numbering of the voices that fits each window best."""
    losses = []
    for order in _PERMUTATIONS:
        who = active[:, :, list(order)].long()
        classes = _CLASS_OF[who[..., 0], who[..., 1], who[..., 2]]
        losses.append(-said.gather(2, classes[:, :, None]).squeeze(2).mean(dim=1))
    return torch.stack(losses).min(dim=0).values.mean()


def train_segmentation(
    bank: Bank, minutes: float, seed: int, state: Path | None = None
) -> Segmentation:
    """On new windows all the time. state: a file of weights, to go on from and to keep."""
    rng = np.random.default_rng(seed)
    model, namer = Segmentation(), nn.Linear(64, len(bank))
    both = nn.ModuleList([model, namer])
    if state and state.exists():
        both.load_state_dict(torch.load(state, weights_only=True))
    optimizer = torch.optim.AdamW([*model.parameters(), *namer.parameters()], weight_decay=0.01)
    began, step, heard = time.time(), 0, []
    while (share := (time.time() - began) / 60 / minutes) < 1:
        optimizer.param_groups[0]["lr"] = rate_at(share, 0.004)
        made = [window(bank, rng) for _ in range(16)]
        sound = torch.tensor(np.stack([each[0] for each in made]))[:, None]
        active = torch.tensor(np.stack([each[1] for each in made]))
        names = torch.zeros(len(made), FRAMES + 1, len(bank))
        for number, (_, who, voices) in enumerate(made):
            names[number, :-1, voices] = torch.tensor(who[:, : len(voices)])
        states = model.states(sound)
        loss = permuted_loss(model.said(states), active)
        naming = F.binary_cross_entropy_with_logits(namer(states), names[:, ::2]) * len(bank)
        heard.append((loss.item(), naming.item()))
        optimizer.zero_grad()
        (loss + 0.1 * (1 - share) * naming).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 50 == 0:
            one, other = np.mean(heard, axis=0)
            print(
                f"segmentation {step} {share:.2f}: loss {one:.3f}, naming {other:.2f}", flush=True
            )
            heard.clear()
    if state:
        torch.save(both.state_dict(), state)
    return model


def main() -> None:
    """Train what is asked for and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, nargs=2, default=(5.0, 19.0), help="of each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, help="a file of weights to go on from, and to keep")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    bank = record(given.seed)
    print(f"{len(bank)} voices", flush=True)
    if given.minutes[0]:
        model = train_voice_print(bank, given.minutes[0], given.seed)
        write_voice_print(model, given.out / "embedding.onnx")
    if given.minutes[1]:
        write_segmentation(
            train_segmentation(bank, given.minutes[1], given.seed, given.state),
            given.out / "segmentation.onnx",
        )


if __name__ == "__main__":
    main()
