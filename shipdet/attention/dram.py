"""Deep recurrent attention model (Ba, Mnih and Kavukcuoglu, ICLR 2015, arXiv:1412.7755): several objects in sequence.

    g_n = conv(patches at l_n) * FC(l_n)
    b_n = LSTM_bottom(g_n, b_(n-1))        t_n = LSTM_top(b_n, t_(n-1))        t_0 = context(small picture)
    l_(n+1) ~ N(E t_n, sigma)              class of an object = softmax(O b_n), after its last glimpse

Objects are read one after the other until the network says that there are no more. The
small picture says where to begin, so it starts the layer that chooses locations; it is kept
from the layer that names what was seen, or the glimpses would not be needed at all.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation

from shipdet.attention.glimpse import take_glimpse
from shipdet.attention.ram import Locator
from shipdet.attention.reinforce import reinforce

Read = Callable[[Tensor, Tensor], Tensor]


class Objects(NamedTuple):
    """A sequence of S objects, G glimpses each."""

    logits: Tensor
    """(B, S, classes + 1); the last is the end symbol"""
    locations: Tensor
    """(B, S, G, 2) as x, y from -1 to 1"""
    log_prob: Tensor
    """(B, S, G); every location was drawn, and looked at"""
    baseline: Tensor
    """(B, S, G)"""


def read_bottom(bottom: Tensor, top: Tensor) -> Tensor:
    """The paper's: what is named was seen in glimpses."""
    del top
    return bottom


def read_top(bottom: Tensor, top: Tensor) -> Tensor:
    """The cheat: the small picture shines through. For comparison."""
    del bottom
    return top


class Context(nn.Module):
    """A few convolutions on the picture averaged down to `side` pixels."""

    def __init__(self, channels: int, side: int, state: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.AdaptiveAvgPool2d(side),
            Conv2dNormActivation(channels, 16, stride=2),
            Conv2dNormActivation(16, 32, stride=2),
            Conv2dNormActivation(32, 32),
            nn.AdaptiveAvgPool2d(3),
            nn.Flatten(),
            nn.Linear(32 * 9, state),
            nn.Tanh(),
        )

    def forward(self, image: Tensor) -> Tensor:
        """State (B, D) of (B, C, H, W)."""
        state: Tensor = self.body(image)
        return state


class NoContext(nn.Module):
    """Begins in the dark, for comparison."""

    def __init__(self, state: int) -> None:
        super().__init__()
        self.state = state

    def forward(self, image: Tensor) -> Tensor:
        """Zeros (B, D)."""
        return image.new_zeros(len(image), self.state)


class ConvGlimpse(nn.Module):
    """Two concentric patches through convolutions, times what the location says, which begins at 1 in the middle."""

    def __init__(self, channels: int, side: int, features: int) -> None:
        super().__init__()
        self.side = side
        self.what = nn.Sequential(
            Conv2dNormActivation(2 * channels, 16),
            Conv2dNormActivation(16, 32, stride=2),
            Conv2dNormActivation(32, 32),
            nn.Flatten(),
            nn.Linear(32 * ((side + 1) // 2) ** 2, features),
            nn.ReLU(),
        )
        self.where = nn.Linear(2, features)
        nn.init.ones_(self.where.bias)

    def forward(self, image: Tensor, at: Tensor) -> Tensor:
        """Features (B, F) of a glimpse of (B, C, H, W) at (B, 2)."""
        patches = take_glimpse(image, at, self.side, 2).flatten(1, 2)
        seen: Tensor = self.what(patches)
        place: Tensor = self.where(at)
        return seen * place


class Reading(NamedTuple):
    """How a picture is read."""

    objects: int
    """S, the most objects, the end symbol included"""
    glimpses: int
    """G, for each object"""
    std: float
    """spread of locations; the model is sensitive to it"""


class DRAM(nn.Module):
    """Reads the objects of a picture in sequence.

    Args:
        context: picture to the top layer's first state, `Context` or `NoContext`.
        glimpse: picture and location to features (B, state).
        classes: how many, the end symbol not counted.
        reading: how long to look.
        state: width of both layers.
        read: which layer names the object.
    """

    def __init__(
        self,
        context: nn.Module,
        glimpse: nn.Module,
        classes: int,
        reading: Reading,
        state: int,
        read: Read = read_bottom,
    ) -> None:
        super().__init__()
        self.context, self.glimpse, self.reading, self.read = context, glimpse, reading, read
        self.bottom = nn.LSTMCell(state, state)
        self.top = nn.LSTMCell(state, state)
        for cell in (self.bottom, self.top):
            nn.init.ones_(cell.bias_ih[state : 2 * state])  # the forget gate begins open
        self.locator = Locator(state, reading.std)
        self.expect = nn.Linear(state, 1)
        self.classify = nn.Linear(state, classes + 1)
        self.width = state

    def searching(self) -> list[nn.Parameter]:
        """What says where to look, which REINFORCE alone teaches; names teach it too, if read from the top layer."""
        parts = (self.context, self.top, self.locator)
        return [parameter for part in parts for parameter in part.parameters()]

    def forward(self, image: Tensor, generator: torch.Generator | None = None) -> Objects:
        """Look at (B, C, H, W) once."""
        nothing = image.new_zeros(len(image), self.width)
        bottom, top = (nothing, nothing), (self.context(image), nothing)
        logits, locations, log_probs, expected = [], [], [], []
        for _ in range(self.reading.objects):
            for _ in range(self.reading.glimpses):
                expected.append(self.expect(top[0].detach()).squeeze(1))
                located = self.locator.of_taught(top[0], generator)
                log_probs.append(located.log_prob)
                at = located.drawn.clamp(-1, 1)
                locations.append(at)
                bottom = self.bottom(self.glimpse(image, at), bottom)
                top = self.top(bottom[0], top)
            logits.append(self.classify(self.read(bottom[0], top[0])))
        shape = (len(image), self.reading.objects, self.reading.glimpses)
        return Objects(
            torch.stack(logits, dim=1),
            torch.stack(locations, dim=1).reshape(*shape, 2),
            torch.stack(log_probs, dim=1).reshape(shape),
            torch.stack(expected, dim=1).reshape(shape),
        )


def counted(classes: Tensor, end: int) -> Tensor:
    """(B, S) bool: objects up to the first end symbol, it included; what follows is never judged."""
    ended = classes == end
    return (ended.cumsum(dim=1) - ended.long()) == 0


def dram_loss(seen: Objects, classes: Tensor, policy: float = 0.01) -> Tensor:
    """Cross-entropy, REINFORCE and the baseline's error, as one scalar.

    A glimpse is rewarded for its own object and for each later one, each time with the probability of the right name.
    That is the mean of the 1 or 0 that a name drawn by chance would earn: as much, with less noise than the paper's.

    Args:
        seen: what was read.
        classes: (B, S), the end symbol after the last object and anything after that.
        policy: weight of REINFORCE, the paper's lambda. The bottom layer and the glimpses hear of it and of the
            cross-entropy; at a weight of 1 its noise keeps them from learning what they see. What hears of REINFORCE
            alone, `DRAM.searching`, is slowed by it under SGD, as in the paper, but not under Adam, which divides a
            gradient by its size: there it wants a lower rate, or noise drives the first location out of the picture
            before anything can be read.
    """
    end = seen.logits.shape[-1] - 1
    judged = counted(classes, end)
    told = F.cross_entropy(seen.logits[judged], classes[judged])
    names = classes.clamp(0, end).unsqueeze(-1)
    right = seen.logits.detach().softmax(dim=-1).gather(-1, names).squeeze(-1) * judged
    to_come = right.flip(1).cumsum(dim=1).flip(1)[:, :, None].expand_as(seen.log_prob)
    log_prob = seen.log_prob.masked_fill(~judged[:, :, None], 0)
    baseline = torch.where(judged[:, :, None], seen.baseline, to_come)
    taught = reinforce(log_prob.flatten(1), to_come.flatten(1), baseline.flatten(1))
    return told + policy * taught.policy + taught.baseline


def sequences_right(seen: Objects, classes: Tensor) -> Tensor:
    """(B,) bool: every object up to the end symbol, it included, is named rightly."""
    judged = counted(classes, seen.logits.shape[-1] - 1)
    return ((seen.logits.argmax(dim=-1) == classes) | ~judged).all(dim=1)
