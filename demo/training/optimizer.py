"""How both tiny models follow a gradient: Muon and AdamW, and the rate over the steps."""

from __future__ import annotations

import math

from torch import Tensor, nn, optim


def learning_rate(step: int, steps: int, peak: float) -> float:
    """A short warm-up, then a cosine down to a fiftieth of the peak."""
    if step < 100:
        return peak * (step + 1) / 100
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


class Optimizer:
    """Muon for the matrices inside the blocks, AdamW for all else.

    With AdamW alone the shapes take several times as many steps.
    """

    def __init__(self, *models: nn.Module) -> None:
        matrices, others = [], []
        for model in models:
            for name, parameter in model.named_parameters():
                inner = parameter.ndim == 2 and name.startswith(("blk", "mm_"))
                (matrices if inner else others).append(parameter)
        self.parameters = matrices + others
        self.parts = (
            optim.Muon(matrices, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
            optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.01),
        )

    def step(self, loss: Tensor, rate: float) -> None:
        """Follow the gradient of a loss; Muon at twice the rate."""
        for part, factor in zip(self.parts, (2.0, 1.0), strict=True):
            part.param_groups[0]["lr"] = rate * factor
            part.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for part in self.parts:
            part.step()
