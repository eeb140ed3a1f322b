"""DRAM on pairs of digits: does it read better in sequence, with a glance at the whole to begin with?

Pictures of 72 x 72 with two digits, averaged down to 36 x 36, to be named from left to right and then ended; an error
is any symbol wrong. The paper's are 100 x 100, where the networks take longer to find the digits.
Claims, the paper's order: RAM errs more than no context, which errs more than DRAM. And the cheat: with the classifier
on the layer that knows the small picture, glimpses matter less. That is shown by blinding them at the test: what was
read from glimpses is lost, what was read from the small picture is not, so DRAM loses by it, and the cheat less than
DRAM.
RAM has one state and names both digits at the end, as one of 100 classes, after as many glimpses in all, through the
same eye; it is rewarded with 1 or 0, DRAM with the probability of the right name.
What REINFORCE alone teaches learns at a tenth of the rate: of the cheat the locator only, for names teach the rest.
"""

import torch
import torch.nn.functional as F
from digits import SIDE, Digits, draw, paste, read_digits
from torch import Tensor, nn
from trials import Options, Table, batches, evaluating, options_of, parser, seed_everything, train

from shipdet.attention.dram import (
    DRAM,
    Context,
    ConvGlimpse,
    NoContext,
    Reading,
    dram_loss,
    read_bottom,
    read_top,
    sequences_right,
)
from shipdet.attention.ram import RAM, Locator, ram_loss

CANVAS = 72
EYE = 10
"""Side of the smaller patch, in pixels of 36."""
SMALL = 12
"""Side of the picture that the context sees: a digit is 5 pixels high."""
BATCH = 64
STATE = 128
END = 10
READING = Reading(objects=3, glimpses=3, std=0.2)
"""Two digits and the end."""
VARIANTS = ("RAM", "no context", "DRAM", "DRAM, classifier on top")


class Blind(nn.Module):
    """A glimpse network that is shown nothing, wherever it looks."""

    def __init__(self, glimpse: nn.Module) -> None:
        super().__init__()
        self.glimpse = glimpse

    def forward(self, image: Tensor, at: Tensor) -> Tensor:
        """As of an empty picture."""
        features: Tensor = self.glimpse(torch.zeros_like(image), at)
        return features


def build(name: str) -> RAM | DRAM:
    """One variant."""
    if name == "RAM":
        steps = READING.objects * READING.glimpses
        return RAM(ConvGlimpse(1, EYE, STATE), Locator(STATE, READING.std), 100, steps, STATE)
    context = NoContext(STATE) if name == "no context" else Context(1, SMALL, STATE)
    read = read_top if "top" in name else read_bottom
    return DRAM(context, ConvGlimpse(1, EYE, STATE), 10, READING, STATE, read)


def pairs(digits: Digits, which: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures (B, 1, 36, 36) of digits (2, B), the first left of the second, clear of it."""
    room = CANVAS - 2 * SIDE + 1
    columns = torch.stack([draw(room, which.shape[1], generator) for _ in range(2)]).sort(dim=0).values
    canvas = digits.images.new_zeros(which.shape[1], CANVAS, CANVAS)
    for number in range(2):
        top = draw(CANVAS - SIDE + 1, which.shape[1], generator)
        canvas = paste(canvas, digits.images[which[number]], top, columns[number] + number * SIDE)
    return F.avg_pool2d(canvas.unsqueeze(1), 2)


def symbols(digits: Digits, which: Tensor) -> Tensor:
    """(B, 3) two classes and the end."""
    classes = digits.classes[which].T
    return torch.cat([classes, torch.full_like(classes[:, :1], END)], dim=1)


def loss_of(network: RAM | DRAM, image: Tensor, wanted: Tensor) -> Tensor:
    """Of either."""
    if isinstance(network, RAM):
        return ram_loss(network(image), wanted[:, 0] * 10 + wanted[:, 1])
    return dram_loss(network(image), wanted)


def error(network: RAM | DRAM, digits: Digits, count: int) -> float:
    """Percent of test pairs, the same for all variants and seeds, each looked at once."""
    device = digits.images.device
    pictures, looks = (torch.Generator(device).manual_seed(seed) for seed in (1000, 1001))
    right = total = 0
    with evaluating(network):
        for part in batches(count, 250):
            which = torch.stack([draw(len(digits.classes), part.stop - part.start, pictures) for _ in range(2)])
            image, wanted = pairs(digits, which, pictures), symbols(digits, which)
            if isinstance(network, RAM):
                found = network(image, looks).logits.argmax(dim=1) == wanted[:, 0] * 10 + wanted[:, 1]
            else:
                found = sequences_right(network(image, looks), wanted)
            right, total = right + int(found.sum()), total + len(found)
    return 100 * (1 - right / total)


def run(name: str, seed: int, options: Options, learn: Digits) -> RAM | DRAM:
    """Train one variant."""
    seed_everything(seed)
    network = build(name).to(options.device)
    generator = torch.Generator(options.device).manual_seed(seed)

    def batch_loss(_: int) -> Tensor:
        which = torch.stack([draw(len(learn.classes), BATCH, generator) for _ in range(2)])
        return loss_of(network, pairs(learn, which, generator), symbols(learn, which))

    alone = list(network.locator.parameters())
    if isinstance(network, DRAM) and network.read is read_bottom:
        alone = network.searching()
    train(network.parameters(), batch_loss, options.steps, rate=2e-3, slow=alone)
    return network


def main() -> None:
    """Train every variant, print the table."""
    options = options_of(parser(__doc__, steps=2000).parse_args())
    learn = read_digits(options.data, "train", options.device, options.few(60_000))
    test = read_digits(options.data, "t10k", options.device, options.few(10_000))
    table = Table("DRAM, error %", options)
    for seed in options.seeds:
        for name in VARIANTS:
            network = run(name, seed, options, learn)
            table.add(name, "pairs", error(network, test, options.few(5000)))
            network.glimpse = Blind(network.glimpse)
            table.add(name, "pairs, blinded", error(network, test, options.few(5000)))
    table.show()
    table.claim("no context below RAM", ("no context", "pairs"), ("RAM", "pairs"))
    table.claim("DRAM below no context", ("DRAM", "pairs"), ("no context", "pairs"))
    right, cheat = (((name, "pairs"), (name, "pairs, blinded")) for name in VARIANTS[2:])
    table.claim("DRAM: worse when blinded", *right)
    table.claim_of_gaps("the cheat loses less by being blinded than DRAM", cheat, right)


if __name__ == "__main__":
    main()
