"""RAM on MNIST: does a network that looks by glimpses beat one that sees all, and does it matter where it looks?

Claims, on 60 x 60 pictures, translated and cluttered: fewer errors than FC-256; on cluttered ones at least 5 points
fewer than the same network with random glimpses. Each test picture is looked at once (no averaging over samples).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from digits import Digits, cluttered, draw, read_digits, translated
from torch import Tensor, nn
from trials import Options, Table, batches, evaluating, options_of, parser, seed_everything, train

from shipdet.attention.glimpse import GlimpseNetwork
from shipdet.attention.ram import RAM, Locator, RandomLocator, ram_loss

SIDE = 60
BATCH = 128
STD = 0.2
Task = Callable[[Digits, Tensor, int, torch.Generator], Tensor]
TASKS: dict[str, Task] = {"translated": translated, "cluttered": cluttered}


def build(name: str, glimpses: int) -> nn.Module:
    """One variant."""
    if name.startswith("RAM"):
        locator = RandomLocator() if "random" in name else Locator(256, STD)
        return RAM(GlimpseNetwork(1, 12, 3), locator, 10, glimpses)
    if name == "FC-256":
        return nn.Sequential(
            nn.Flatten(), nn.Linear(SIDE**2, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)
        )
    return nn.Sequential(
        nn.Conv2d(1, 16, 10, 5), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 11**2, 256), nn.ReLU(), nn.Linear(256, 10)
    )


def loss_of(network: nn.Module, image: Tensor, classes: Tensor) -> Tensor:
    """RAM's own loss, or cross-entropy."""
    if isinstance(network, RAM):
        return ram_loss(network(image), classes)
    return F.cross_entropy(network(image), classes)


def error(network: nn.Module, digits: Digits, task: Task) -> float:
    """Percent of test pictures, the same for all variants and seeds."""
    device = digits.images.device
    pictures, looks = (torch.Generator(device).manual_seed(seed) for seed in (1000, 1001))
    wrong = 0
    with evaluating(network):
        for part in batches(len(digits.classes), 500):
            which = torch.arange(len(digits.classes), device=device)[part]
            image = task(digits, which, SIDE, pictures)
            logits = network(image, looks).logits if isinstance(network, RAM) else network(image)
            wrong += int((logits.argmax(dim=1) != digits.classes[which]).sum())
    return 100 * wrong / len(digits.classes)


def run(name: str, task: Task, glimpses: int, seed: int, options: Options, digits: tuple[Digits, Digits]) -> float:
    """Train and judge one variant."""
    seed_everything(seed)
    network = build(name, glimpses).to(options.device)
    generator = torch.Generator(options.device).manual_seed(seed)
    learn, test = digits

    def batch_loss(_: int) -> Tensor:
        which = draw(len(learn.classes), BATCH, generator)
        return loss_of(network, task(learn, which, SIDE, generator), learn.classes[which])

    train(network.parameters(), batch_loss, options.steps)
    return error(network, test, task)


def main() -> None:
    """Train every variant, print the table."""
    made = parser(__doc__, steps=2500)
    made.add_argument("--glimpses", type=int, default=6)
    made.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    args = made.parse_args()
    options = options_of(args)
    ram, chance = f"RAM, {args.glimpses} glimpses", f"RAM, {args.glimpses} random glimpses"
    digits = (
        read_digits(options.data, "train", options.device, options.few(60_000)),
        read_digits(options.data, "t10k", options.device, options.few(10_000)),
    )
    table = Table("RAM, error %", options)
    for seed in options.seeds:
        for name in (ram, chance, "FC-256", "convolutions"):
            for title in args.tasks:
                table.add(name, title, run(name, TASKS[title], args.glimpses, seed, options, digits))
    table.show()
    for title in args.tasks:
        table.claim(f"{title}: RAM below FC-256", (ram, title), ("FC-256", title))
    if "cluttered" in args.tasks:
        table.claim("cluttered: RAM 5 points below random glimpses", (ram, "cluttered"), (chance, "cluttered"), by=5)


if __name__ == "__main__":
    main()
