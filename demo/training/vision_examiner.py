"""Questions that teach the vision tower to see, before there is any text."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import drawing
import vision_batches
from vision_model import VisionTower

ATTRIBUTES = {
    "shape": len(drawing.SHAPES),
    "color": len(drawing.COLORS),
    "position": len(drawing.POSITIONS),
    "background": len(drawing.COLORS),
}
CELLS = 4  # per side of a patch, whose coverage is asked
# Of measure_box's five numbers over the training pictures.
BOX_MEANS = (0.49, 0.49, 0.27, 0.27, 0.77)
BOX_DEVIATIONS = (0.21, 0.09, 0.1, 0.09, 0.19)


class Examiner(nn.Module):
    """Asks the tower what it sees; only for training, never exported.

    Every single token must name all attributes: the text model then needs to find one
    informed token instead of combining 64.  Colours and positions come early; shapes come
    only with the two dense tasks, the coverage of each patch's cells and the shape's box.
    """

    def __init__(self, tower: VisionTower, text_width: int) -> None:
        super().__init__()
        self.side = tower.shape.image_size // tower.shape.patch_size
        self.cell = tower.shape.patch_size // CELLS
        self.cover = nn.Linear(tower.shape.width, CELLS**2)
        self.name = nn.Linear(text_width, sum(ATTRIBUTES.values()))
        self.box = nn.Linear(text_width, 5)

    def forward(
        self, features: Tensor, tokens: Tensor, batch: vision_batches.Batch
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of a batch, and which attributes are right, (batch,) each."""
        cells = F.avg_pool2d(batch.coverage[:, None], self.cell)
        cells = cells.unflatten(3, (self.side, CELLS)).unflatten(2, (self.side, CELLS))
        cells = cells[:, 0].transpose(2, 3).flatten(3).flatten(1, 2)  # (batch, patches, cells)
        loss = 6 * F.binary_cross_entropy_with_logits(self.cover(features), cells.clamp(0, 1))
        box = measure_box(batch.coverage)[:, None].expand(-1, tokens.shape[1], -1)
        loss = loss + F.mse_loss(self.box(tokens), box)
        right = {}
        scores = self.name(tokens).split(list(ATTRIBUTES.values()), dim=-1)
        for name, score in zip(ATTRIBUTES, scores, strict=True):
            label = batch.labels[name]
            spread = label[:, None].expand(-1, score.shape[1])
            loss = loss + F.cross_entropy(score.flatten(0, 1), spread.flatten())
            right[name] = score.mean(1).argmax(1) == label
        return loss, right


def measure_box(coverage: Tensor) -> Tensor:
    """Centre, width, height and filled share of a shape's box, (batch, 5).

    As shares of the square's side, brought to a mean near 0 and a deviation near 1.  The
    filled share alone tells the shapes apart: 1/2, pi/4 and 1.
    """
    coverage = coverage.clamp(0, 1)
    side = coverage.shape[1]
    columns, rows = coverage.amax(1), coverage.amax(2)
    places = torch.arange(side) / side
    width, height = columns.sum(1), rows.sum(1)
    x, y = (columns * places).sum(1) / width, (rows * places).sum(1) / height
    filled = coverage.sum((1, 2)) / (width * height)
    shares = torch.stack([x, y, width / side, height / side, filled], dim=1)
    return (shares - torch.tensor(BOX_MEANS)) / torch.tensor(BOX_DEVIATIONS)
