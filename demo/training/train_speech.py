"""Train the tiny Whisper model on generated speech and write it as a faster-whisper model folder.

    python train_speech.py --minutes 40

Besides Whisper's own task (the next token) two helpers make it learn in minutes instead of days. Both come from the
synthesizer's word times. Two extra layers, thrown away afterwards, name the word at each encoder position and the
token before it (so that the decoder finds the place to go on by the token it has just written). And the alignment
heads are told where to look for each token, which also gives the model its word times.
"""

import argparse
import itertools
import json
import math
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import speech_model
import speech_tokens as tokens
import speech_windows as windows

IGNORED = -100  # cross_entropy's label for "no loss here"
POSITIONS = speech_model.CONTENT + 1
ATTENTION_WEIGHT, NAMING_WEIGHT = 0.5, 0.5
LISTENING_SHARE = (
    0.2  # of the time, for learning to name the word at each position before anything else
)


def make_batch(rng, speakers, size: int) -> dict[str, torch.Tensor]:
    """Random windows as tensors.

    features (n, 80, 1004); inputs and labels (n, 2, length), the timed and the plain sequence; focus (n, 2, length, 502),
    where the attention of each label belongs (rows sum to 1, or 0 where nothing is asked); frames (n, 502, 2), the word
    (1 and up) or silence (0) at each encoder position, and the token before (a word or 0 for a pause).
    """
    made = [windows.make_window(rng, speakers) for _ in range(size)]
    length = 1 + max(max(len(timed), len(plain)) for _, timed, plain, _ in made)
    inputs = torch.full((size, 2, length), tokens.END_ID)
    labels = torch.full((size, 2, length), IGNORED)
    focus = torch.zeros(size, 2, length, POSITIONS)
    frames = torch.zeros(size, POSITIONS, 2, dtype=torch.long)
    spectra = []
    for i, (samples, timed, plain, words) in enumerate(made):
        floor = rng.uniform(0, 1) if rng.random() < 0.3 else 0
        spectra.append(speech_model.features(samples, floor))
        for j, (start, sequence) in enumerate([([tokens.START_ID], timed), (None, plain)]):
            start = start or [tokens.START_ID, tokens.NO_TIMESTAMPS_ID]
            ids = start + [token for token, _, _ in sequence]
            inputs[i, j, : len(ids) - 1] = torch.tensor(ids[:-1])
            labels[i, j, len(start) - 1 : len(ids) - 1] = torch.tensor(ids[len(start) :])
            if words:
                for k, (_, begin, end) in enumerate(sequence, len(start) - 1):
                    first, last = _positions(begin, end, at_least=6)
                    focus[i, j, k, first:last] = 1 / (last - first)
        if not words:
            labels[i, :, 0] = tokens.NO_SPEECH_ID  # what Whisper's no-speech probability reads
        for word, begin, end in words:
            first, last = _positions(begin, end, at_least=1)
            frames[i, first:last, 0] = IGNORED if word is None else _name(tokens.WORD_ID[word])
        for (before, _, _), (_, begin, end) in itertools.pairwise(plain):
            first, last = _positions(begin, end, at_least=1)
            frames[i, first:last, 1] = _name(before)
    return {
        "features": torch.stack(spectra),
        "inputs": inputs,
        "labels": labels,
        "focus": focus,
        "frames": frames,
    }


def _name(token: int) -> int:
    """The extra layers' class of a text token: 1 and up for words, 0 for a pause."""
    return 0 if token == tokens.PAUSE_ID else 1 + token - 256


def _positions(begin: float, end: float, at_least: int) -> tuple[int, int]:
    """Encoder positions [first, last) of a time span; short spans widen, as faster-whisper median-filters over 7."""
    first, last = round(begin / windows.FRAME_S), round(end / windows.FRAME_S)
    missing = max(at_least - (last - first), 0)
    first = min(max(first - missing // 2, 0), speech_model.CONTENT - at_least)
    return first, min(max(last + (missing + 1) // 2, first + at_least), speech_model.CONTENT)


def _naming_loss(namer, memory, frames) -> torch.Tensor:
    """Cross-entropy of both extra layers; frames as in `make_batch`, with as many positions as memory."""
    names = namer(memory).float().flatten(0, 1).unflatten(1, (2, -1)).flatten(0, 1)
    return 2 * F.cross_entropy(names, frames.flatten(), ignore_index=IGNORED)


def listening_loss(model, namer, batch) -> torch.Tensor:
    """The naming loss alone, on quarters of windows: the cheap way to learn what words sound like."""
    with torch.autocast("cpu", torch.bfloat16):
        memory = speech_model.encode(model, batch["features"], pieces=4)
        return _naming_loss(namer, memory, batch["frames"][:, :500])


def losses(model, namer, batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token, attention and naming losses."""
    with torch.autocast("cpu", torch.bfloat16):
        memory = speech_model.encode(model, batch["features"])
        logits, log_attention = speech_model.decode(model, memory, batch["inputs"])
        naming = _naming_loss(namer, memory, batch["frames"])
    token = F.cross_entropy(
        logits.float().flatten(0, 2), batch["labels"].flatten(), ignore_index=IGNORED
    )
    asked = batch["focus"].sum()
    attention = -(batch["focus"][:, None] * log_attention.float()).sum() / (
        asked * len(speech_model.ALIGNMENT_HEADS)
    )
    return token, attention, naming


def train(
    minutes: float,
    steps: int,
    batch_size: int,
    peak_rate: float,
    seed: int,
    resume: bool,
    work: Path,
) -> None:
    """Train until `steps` or `minutes` are over, whichever is first; the newest weights are in work/speech.pt.

    With `resume` go on from those instead of starting with fresh weights and the listening phase.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = speech_model.build_model()
    namer = torch.nn.Linear(speech_model.WIDTH, 2 * (1 + len(tokens.WORD_ID)))
    started = time.monotonic()
    speakers = windows.make_speakers(500, 10, seed)
    print(f"{time.monotonic() - started:.0f} s for the first speakers", flush=True)
    weights = [p for p in [*model.parameters(), *namer.parameters()] if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01)
    parts = {"model": model, "namer": namer, "optimizer": optimizer}
    if resume:
        for name, state in torch.load(work / "speech.pt").items():
            parts[name].load_state_dict(state)
    mean = np.zeros(3)
    for step in range(1, steps + 1):
        done = max(step / steps, (time.monotonic() - started) / (minutes * 60))
        if done >= 1:
            break
        rate = peak_rate * min(step / 100, 1) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-6
        for group in optimizer.param_groups:
            group["lr"] = rate
        batch = make_batch(rng, speakers, batch_size)
        if done < LISTENING_SHARE and not resume:
            loss = listening_loss(model, namer, batch)
            shown = [0, 0, loss.item()]
        else:
            token, attention, naming = losses(model, namer, batch)
            loss = token + ATTENTION_WEIGHT * attention + NAMING_WEIGHT * naming
            shown = [token.item(), attention.item(), naming.item()]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        mean += (np.array(shown) - mean) / min(step, 50)
        if step % 4 == 0:  # new voices and sentences all the time
            speakers[step // 4 % len(speakers)] = windows.make_speakers(
                1, 10, seed * 100_000 + step
            )[0]
        if step % 100 == 0:
            minute = (time.monotonic() - started) / 60
            print(
                f"{minute:5.1f} min, step {step}: tokens {mean[0]:.3f}, attention {mean[1]:.3f}, ",
                end="",
            )
            print(f"naming {mean[2]:.3f}, rate {rate:.1e}", flush=True)
        if step % 200 == 0:
            _save(parts, work)
    _save(parts, work)


def _save(parts: dict, work: Path) -> None:
    """Write to a new file first: the old one stays whole if this is interrupted."""
    torch.save({name: part.state_dict() for name, part in parts.items()}, work / "speech.new")
    (work / "speech.new").replace(work / "speech.pt")


def convert(work: Path, folder: Path) -> None:
    """Write work/speech.pt as a CTranslate2 model (float32) with the files that faster-whisper reads."""
    import ctranslate2.converters
    import transformers

    model = speech_model.build_model()
    model.load_state_dict(torch.load(work / "speech.pt")["model"])
    difference = speech_model.check_padding(model.eval(), F.pad(torch.rand(2, 80, 1000), (0, 4)))
    if difference > 1e-3:
        raise RuntimeError(f"the shortened training pass differs from Whisper's by {difference}")
    model.generation_config._from_model_config = (
        False  # else it is made anew on loading, without the next lines
    )
    model.generation_config.alignment_heads = speech_model.ALIGNMENT_HEADS
    model.generation_config.suppress_tokens = []
    model.generation_config.begin_suppress_tokens = [tokens.END_ID]
    with tempfile.TemporaryDirectory() as temporary:
        model.save_pretrained(temporary)
        tokenizer = tokens.build_tokenizer()
        transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(temporary)
        converter = ctranslate2.converters.TransformersConverter(temporary)
        converter.convert(str(Path(temporary) / "converted"), quantization="float32")
        folder.mkdir(parents=True, exist_ok=True)
        for file in (Path(temporary) / "converted").iterdir():
            shutil.copyfile(file, folder / file.name)
    # Without this file faster-whisper asks the hub.
    tokenizer.save(str(folder / "tokenizer.json"))
    preprocessor = {
        "feature_size": 80,
        "sampling_rate": 16000,
        "hop_length": 160,
        "n_fft": 400,
        # seconds; windows of 10 s, padded with zeros to 30 s, learn where windows of 30 s hardly do
        "chunk_length": int(windows.WINDOW_S),
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=2) + "\n")
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"wrote {folder} ({size / 1e6:.1f} MB)")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=40, help="time budget (default 40)")
    parser.add_argument(
        "--steps", type=int, default=8000, help="most training steps (default 8000)"
    )
    parser.add_argument("--batch", type=int, default=6, help="windows a step (default 6)")
    parser.add_argument(
        "--rate", type=float, default=1.5e-3, help="highest learning rate (default 0.0015)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")
    here = Path(__file__).resolve().parent
    parser.add_argument(
        "--model", type=Path, default=here.parent / "models" / "speech", help="folder to write"
    )
    default = Path(tempfile.gettempdir()) / "reelmake-speech"
    parser.add_argument("--work", type=Path, default=default, help="folder for the newest weights")
    parser.add_argument("--resume", action="store_true", help="go on from the newest weights")
    parser.add_argument(
        "--convert-only", action="store_true", help="convert the newest weights without training"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    if not options.convert_only:
        train(
            options.minutes,
            options.steps,
            options.batch,
            options.rate,
            options.seed,
            options.resume,
            options.work,
        )
    convert(options.work, options.model)


if __name__ == "__main__":
    main()
