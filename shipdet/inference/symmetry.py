"""The eight ways to lay a square on itself: tiles are looked at mirrored and turned, and what is seen is laid back."""

from typing import NamedTuple

import numpy as np
from torch import Tensor

from shipdet.models.decode import Tips


class Symmetry(NamedTuple):
    """Rows and columns exchanged or not, then mirrored along x, along y, or not."""

    exchanged: bool = False
    mirrored_x: bool = False
    mirrored_y: bool = False

    def apply(self, maps: Tensor) -> Tensor:
        """Maps (..., H, W) as they look after it."""
        turned = maps.transpose(-1, -2) if self.exchanged else maps
        return self._mirrored(turned)

    def undo(self, maps: Tensor) -> Tensor:
        """What `apply` was given."""
        back = self._mirrored(maps)
        return back.transpose(-1, -2) if self.exchanged else back

    def undo_tips(self, tips: Tips, height: int, width: int) -> Tips:
        """Tips found in a tile that `apply` had changed, in pixels of the tile as it was.

        Args:
            tips: in pixels of the changed tile.
            height: of the changed tile.
            width: of the changed tile.
        """
        sign = np.where([self.mirrored_x, self.mirrored_y], -1.0, 1.0)
        origin = np.where([self.mirrored_x, self.mirrored_y], [width, height], 0.0)
        axes = [1, 0] if self.exchanged else [0, 1]
        return tips._replace(
            xy=(origin + sign * tips.xy)[:, axes],
            to_other_end=(sign * tips.to_other_end)[:, axes],
            cell=(origin + sign * tips.cell)[:, axes],
        )

    def _mirrored(self, maps: Tensor) -> Tensor:
        axes = [axis for axis, mirrored in ((-1, self.mirrored_x), (-2, self.mirrored_y)) if mirrored]
        return maps.flip(axes) if axes else maps  # a flip along no axis would copy


AS_IT_IS = Symmetry()
FLIPS = tuple(Symmetry(False, x, y) for y in (False, True) for x in (False, True))
"""As it is, mirrored left and right, mirrored top and bottom, and both, which is half a turn."""
DIHEDRAL = (*FLIPS, *(Symmetry(True, x, y) for y in (False, True) for x in (False, True)))
"""With quarter turns too."""
