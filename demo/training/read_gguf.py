"""Read the weights of a text model back from its GGUF file, to train on from them."""

from __future__ import annotations

from pathlib import Path

import gguf
import torch

from text_model import TextModel


def read_text(path: Path, text: TextModel) -> None:
    """Take the weights of a file that `write_gguf.write_text` wrote (float16: rounded once).

    A file of a smaller vocabulary gives its tokens; the tokens behind them stay as they are.
    """
    read = {tensor.name: torch.tensor(tensor.data) for tensor in gguf.GGUFReader(path).tensors}
    with torch.no_grad():
        for name, parameter in text.named_parameters():
            values = read.pop(name).float()
            parameter[: len(values)] = values
    if read:
        raise ValueError(f"{path} has tensors that the model lacks: {', '.join(read)}")
