"""Glimpses: a small sharp eye with a blurred surround (Mnih et al., "Recurrent Models of Visual Attention", 2014).

    rho_i = mean-resize(patch of side g 2^i at l, to g x g),  i = 0 .. k - 1
    g_t = ReLU(A ReLU(B rho) + C ReLU(D l))

Cost depends on the glimpse, not on the picture: a scene of any size is looked at piece by
piece. What was seen and where are kept together, as both are needed to say what it was.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def take_glimpse(image: Tensor, at: Tensor, side: int, scales: int) -> Tensor:
    """Concentric patches, each twice as wide as the one before, all of `side` pixels.

    One sampling for the whole batch, without a loop over pictures; outside the picture there are zeros. Wide patches
    are averaged over whole pixels, not subsampled.

    Args:
        image: (B, C, H, W).
        at: (B, 2) as x, y, each from -1 (the outer edge of the first pixel) to 1 along its own axis.
        side: of the smallest patch, in pixels.
        scales: how many patches.

    Returns:
        (B, scales, C, side, side), the smallest first.
    """
    widest = side * 2 ** (scales - 1)
    height, width = image.shape[-2:]
    steps = torch.arange(widest, device=image.device, dtype=image.dtype) - (widest - 1) / 2
    x = at[:, 0, None] + steps * (2 / width)
    y = at[:, 1, None] + steps * (2 / height)
    grid = torch.stack([x[:, None, :].expand(-1, widest, -1), y[:, :, None].expand(-1, -1, widest)], dim=-1)
    seen = F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    patches = []
    for scale in range(scales):
        edge = (widest - side * 2**scale) // 2
        patch = seen[:, :, edge : widest - edge, edge : widest - edge]
        patches.append(F.avg_pool2d(patch, 2**scale))
    return torch.stack(patches, dim=1)


class GlimpseNetwork(nn.Module):
    """What was seen, and where, as one vector.

    Args:
        channels: of the picture.
        side: of a patch.
        scales: patches a glimpse.
        hidden: width of each of the two first layers.
        features: width of the result.
    """

    def __init__(self, channels: int, side: int, scales: int, hidden: int = 128, features: int = 256) -> None:
        super().__init__()
        self.side, self.scales = side, scales
        self.what = nn.Sequential(
            nn.Linear(channels * scales * side**2, hidden), nn.ReLU(), nn.Linear(hidden, features)
        )
        self.where = nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, features))

    def forward(self, image: Tensor, at: Tensor) -> Tensor:
        """Features (B, F) of a glimpse of (B, C, H, W) at (B, 2)."""
        patches = take_glimpse(image, at, self.side, self.scales)
        return F.relu(self.what(patches.flatten(1)) + self.where(at))
