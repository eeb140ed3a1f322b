import pytest
import torch
from torch import Tensor

from shipdet.attention.glimpse import GlimpseNetwork
from shipdet.attention.ram import RAM, Locator, RandomLocator, Seen, ram_loss
from shipdet.attention.reinforce import gaussian_log_prob


def make(steps: int = 4, std: float = 0.2) -> RAM:
    torch.manual_seed(0)
    return RAM(GlimpseNetwork(1, 4, 2, 16, 32), Locator(32, std), 10, steps, 32)


def has_gradient(module: torch.nn.Module) -> bool:
    return any(p.grad is not None and bool((p.grad != 0).any()) for p in module.parameters())


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("size", [(28, 28), (13, 40)])
def test_one_log_probability_less_than_glimpses(steps: int, size: tuple[int, int]) -> None:
    seen = make(steps)(torch.randn(1, 1, *size))
    assert seen.logits.shape == (1, 10)
    assert seen.locations.shape == (1, steps, 2)
    assert seen.log_prob.shape == seen.baseline.shape == (1, steps - 1)
    assert ram_loss(seen, torch.zeros(1, dtype=torch.long)).isfinite()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("locator", [Locator(32, 0.2), RandomLocator()])
def test_precision_stays_what_it_was(dtype: torch.dtype, locator: torch.nn.Module) -> None:
    ram = make()
    ram.locator = locator
    seen = ram.to(dtype)(torch.randn(1, 1, 13, 21, dtype=dtype))
    assert {x.dtype for x in (*seen, ram_loss(seen, torch.zeros(1, dtype=torch.long)))} == {dtype}


def test_what_the_first_glimpse_saw_is_still_known_after_the_last() -> None:
    class SeesOnce(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = [torch.randn(4, 32)]

        def forward(self, image: Tensor, _at: Tensor) -> Tensor:
            return self.features.pop() if self.features else torch.zeros(len(image), 32)

    short, long = make(1), make(6)
    torch.nn.init.zeros_(short.take.bias)
    long.load_state_dict(short.state_dict())
    short.glimpse, long.glimpse = SeesOnce(), SeesOnce()
    long.glimpse.features = list(short.glimpse.features)
    image = torch.zeros(4, 1, 8, 8)
    torch.testing.assert_close(long(image).logits, short(image).logits)


def test_no_gradient_of_the_classifier_reaches_the_locator() -> None:
    ram, image = make(), torch.randn(8, 1, 20, 20)
    ram(image).logits.square().sum().backward()
    assert not has_gradient(ram.locator)
    assert not has_gradient(ram.expect)
    assert has_gradient(ram.recur)
    assert has_gradient(ram.glimpse)


def test_reinforce_teaches_the_locator_and_nothing_else() -> None:
    ram = make()
    ram(torch.randn(8, 1, 20, 20)).log_prob.sum().backward()
    assert has_gradient(ram.locator)
    for part in (ram.glimpse, ram.recur, ram.take, ram.classify, ram.expect):
        assert not has_gradient(part)


def test_the_baseline_teaches_itself_alone() -> None:
    ram = make()
    ram(torch.randn(8, 1, 20, 20)).baseline.square().sum().backward()
    assert has_gradient(ram.expect)
    assert not has_gradient(ram.recur)


def test_places_are_looked_at_clamped_and_scored_as_drawn() -> None:
    locator = Locator(3, 0.1)
    with torch.no_grad():
        locator.mean.bias.copy_(torch.tensor([3.0, -3.0]))
        locator.mean.weight.zero_()
    state = torch.zeros(4, 3)
    located = locator(state)
    assert (located.drawn[:, 0] > 1).all()
    assert torch.allclose(located.log_prob, gaussian_log_prob(located.drawn, locator.mean(state), 0.1))
    located.log_prob.sum().backward()
    assert (locator.mean.bias.grad != 0).all()
    ram = make()
    ram.locator = locator
    ram.locator.mean = torch.nn.Linear(32, 2)
    torch.nn.init.constant_(ram.locator.mean.bias, 5.0)
    assert (ram(torch.randn(2, 1, 8, 8)).locations[:, 1:] == 1).all()


def test_without_spread_the_second_glimpse_falls_on_the_mean() -> None:
    ram, image = make(2, std=1e-9), torch.randn(3, 1, 16, 16)
    first = torch.rand(3, 2, generator=torch.Generator().manual_seed(5)) * 2 - 1
    seen = ram(image, torch.Generator().manual_seed(5))
    assert torch.equal(seen.locations[:, 0], first)
    state = torch.relu(ram.recur(torch.zeros(3, 32)) + ram.take(ram.glimpse(image, first)))
    assert torch.allclose(seen.locations[:, 1], ram.locator.mean(state), atol=1e-6)


def test_the_same_generator_sees_the_same_and_another_does_not() -> None:
    ram, image = make(), torch.randn(2, 1, 16, 16)
    a, b, c = (ram(image, torch.Generator().manual_seed(seed)).locations for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_random_glimpses_fall_anywhere_and_teach_nothing() -> None:
    ram = make()
    ram.locator = RandomLocator()
    seen = ram(torch.randn(500, 1, 8, 8))
    assert (seen.log_prob == 0).all()
    quarters = (seen.locations > 0).float().mean(dim=(0, 1))
    assert quarters.tolist() == pytest.approx([0.5, 0.5], abs=0.06)


def seen_of(logits: Tensor, log_prob: Tensor, baseline: Tensor) -> Seen:
    return Seen(logits, torch.zeros(len(logits), log_prob.shape[1] + 1, 2), log_prob, baseline)


def test_a_right_class_rewards_and_a_wrong_one_does_not() -> None:
    logits = torch.tensor([[9.0, 0.0], [9.0, 0.0]])
    log_prob = torch.zeros(2, 1, requires_grad=True)
    ram_loss(seen_of(logits, log_prob, torch.full((2, 1), 0.5)), torch.tensor([0, 1])).backward()
    assert log_prob.grad is not None
    assert log_prob.grad.flatten().tolist() == [-0.25, 0.25]


def written_right(count: int) -> tuple[Tensor, Tensor]:
    """Pictures that are empty but for their right edge, which is black or white, and which of the two."""
    classes = torch.randint(2, (count,))
    image = torch.zeros(count, 1, 16, 16)
    image[:, :, :, 10:] = (classes * 2 - 1)[:, None, None, None]
    return image, classes


def test_it_learns_to_look_where_the_class_is_written() -> None:
    torch.manual_seed(0)
    ram = RAM(GlimpseNetwork(1, 2, 1, 16, 32), Locator(32, 0.25), 2, 2, 32)
    optimiser = torch.optim.Adam(ram.parameters(), 5e-3)
    for _ in range(200):
        image, classes = written_right(64)
        optimiser.zero_grad()
        ram_loss(ram(image), classes).backward()
        optimiser.step()
    image, classes = written_right(1000)
    with torch.no_grad():
        seen = ram(image)
    saw_nothing = seen.locations[:, 0, 0] < 0
    assert seen.locations[saw_nothing, 1, 0].mean() > 0.4
    assert (seen.logits.argmax(1) == classes).float().mean() > 0.9
