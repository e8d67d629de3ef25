"""Train the two tiny models of who speaks on generated conversations, and write them as ONNX files.

    python train_speakers.py --out ../models/speakers          about 25 minutes on one core

The voice print comes first: it learns to name the voice of a stretch of speech. Then the segmentation: its
convolutions learn to name the voice at each moment, with a layer that training alone has; then all of it learns who
speaks when, on windows of up to three voices, at first numbered as they begin to speak, later in any order.
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

LISTENING = 0.3
"""The share of the segmentation's time in which only its convolutions learn."""
Bank = list[list[Said]]
"""For each voice what it says."""


def record(seed: int) -> Bank:
    """All voices of the training set with their sentences, some of them through another microphone."""
    rng, texts = np.random.default_rng(seed), sentences(seed)
    bank = [[say(next(texts), way) for way in ways] for ways in known_voices(seed)]
    return [[_recorded(said, rng) for said in voice] for voice in bank]


def _recorded(said: Said, rng: np.random.Generator) -> Said:
    """With a tilted spectrum, or without what is high, as often as not."""
    if rng.random() < 0.5:
        return said
    spectrum = np.fft.rfft(said.samples)
    hertz = np.linspace(0, RATE / 2, len(spectrum))
    gain = (np.maximum(hertz, 100) / 1000) ** rng.uniform(-0.4, 0.4)
    if rng.random() < 0.5:
        gain = gain / np.sqrt(1 + (hertz / rng.uniform(3000, 8000)) ** 8)
    samples = np.fft.irfft(spectrum * gain, len(said.samples)).astype(np.float32)
    samples *= np.abs(said.samples).max() / (np.abs(samples).max() + 1e-9)
    return Said(samples, said.start, said.stop)


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
    if rng.random() < 0.7:
        sound = sound + _noise(rng, WINDOW) * 10 ** (-rng.uniform(26, 70) / 20)
    sound = sound * 10 ** (-rng.uniform(0, 14) / 20)
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


def ordered_loss(said: Tensor, active: Tensor) -> Tensor:
    """Cross-entropy with the voices numbered by who speaks first."""
    begins = torch.where(active.any(dim=1), active.argmax(dim=1), FRAMES)
    order = begins.argsort(dim=1, stable=True)
    who = active.gather(2, order[:, None].expand_as(active)).long()
    classes = _CLASS_OF[who[..., 0], who[..., 1], who[..., 2]]
    return -said.gather(2, classes[:, :, None]).squeeze(2).mean()


def train_segmentation(
    bank: Bank, minutes: float, seed: int, state: Path | None = None
) -> Segmentation:
    """On new windows all the time. state: a file of weights, to go on from and to keep."""
    rng = np.random.default_rng(seed)
    model, namer = Segmentation(), nn.Linear(80, len(bank) + 1)
    both = nn.ModuleList([model, namer])
    resumed = state is not None and state.exists()
    if resumed:
        both.load_state_dict(torch.load(state, weights_only=True))
    optimizer = torch.optim.AdamW(both.parameters(), weight_decay=0.01)
    began, step, heard = time.time(), 0, []
    listening = 0.0 if resumed else LISTENING
    while (share := (time.time() - began) / 60 / minutes) < 1:
        is_listening = share < listening
        inside = share / listening if is_listening else (share - listening) / (1 - listening)
        optimizer.param_groups[0]["lr"] = rate_at(inside, 0.003)
        made = [window(bank, rng) for _ in range(16)]
        sound = torch.tensor(np.stack([each[0] for each in made]))[:, None]
        active = torch.tensor(np.stack([each[1] for each in made]))
        voices = model.voices(sound)
        naming = _naming_loss(namer(voices.transpose(1, 2)), active, [each[2] for each in made])
        loss = torch.zeros(())
        if not is_listening:
            said = model.said(voices)
            early = max(0.0, 1 - 2 * inside) if not resumed else 0.0
            loss = early * ordered_loss(said, active) + (1 - early) * permuted_loss(said, active)
        heard.append((loss.item(), naming.item()))
        optimizer.zero_grad()
        (loss + (1.0 if is_listening else 0.1) * naming).backward()
        nn.utils.clip_grad_norm_(both.parameters(), 1.0)
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


def _naming_loss(named: Tensor, active: Tensor, voices: list[list[int]]) -> Tensor:
    """Cross-entropy of whose voice it is, or nobody's, where no two speak at once."""
    targets = torch.full(named.shape[:2], named.shape[2] - 1)
    at = active[:, ::2]
    for number, who in enumerate(voices):
        for place, voice in enumerate(who):
            targets[number][at[number, :, place] > 0] = voice
    targets[at.sum(dim=2) > 1] = -1
    return F.cross_entropy(named.flatten(0, 1), targets.flatten(), ignore_index=-1)


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
