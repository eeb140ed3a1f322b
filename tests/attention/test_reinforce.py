import pytest
import torch

from shipdet.attention.reinforce import MovingAverage, gaussian_log_prob, reinforce


@pytest.mark.parametrize("baseline", [0.0, 0.3, 5.0])
def test_in_expectation_the_gradient_is_that_of_the_mean_reward_whatever_the_baseline(baseline: float) -> None:
    """Over all actions of a categorical policy, each as often as it is likely."""
    logits = torch.tensor([0.2, -0.5, 1.0], dtype=torch.float64, requires_grad=True)
    reward = torch.tensor([1.0, 0.0, 2.0], dtype=torch.float64)
    (expected,) = torch.autograd.grad(-(logits.softmax(0) * reward).sum(), logits)
    p = logits.softmax(0).detach()
    losses = [
        reinforce(logits.log_softmax(0)[a].view(1, 1), reward[a].view(1, 1), torch.full((1, 1), baseline)).policy * p[a]
        for a in range(3)
    ]
    (found,) = torch.autograd.grad(torch.stack(losses).sum(), logits)
    assert torch.allclose(found, expected)


def test_the_policy_loss_teaches_the_policy_and_the_baselines_error_the_baseline() -> None:
    log_prob, baseline = torch.randn(4, 3, requires_grad=True), torch.randn(4, 3, requires_grad=True)
    reward = torch.rand(4, 1, requires_grad=True)
    losses = reinforce(log_prob, reward, baseline)
    losses.policy.backward(retain_graph=True)
    assert log_prob.grad is not None
    assert baseline.grad is None
    losses.baseline.backward()
    assert baseline.grad is not None
    assert reward.grad is None


def test_a_reward_as_expected_teaches_nothing() -> None:
    log_prob = torch.randn(2, 3, requires_grad=True)
    losses = reinforce(log_prob, torch.ones(2, 1), torch.ones(2, 3))
    losses.policy.backward()
    assert losses.baseline.item() == 0
    assert log_prob.grad is not None
    assert (log_prob.grad == 0).all()


def test_log_probability_is_a_gaussians() -> None:
    drawn, mean = torch.randn(5, 2), torch.randn(5, 2)
    expected = torch.distributions.Normal(mean, 0.3).log_prob(drawn).sum(dim=1)
    assert torch.allclose(gaussian_log_prob(drawn, mean, 0.3), expected, atol=1e-5)


def test_the_draw_gets_no_gradient_and_one_beyond_the_border_still_teaches() -> None:
    mean = torch.tensor([[1.2, -0.1]], requires_grad=True)
    drawn = torch.tensor([[1.4, -1.3]], requires_grad=True)
    gaussian_log_prob(drawn, mean, 0.1).sum().backward()
    assert drawn.grad is None
    assert mean.grad is not None
    assert mean.grad.tolist() == [[pytest.approx(20, rel=1e-4), pytest.approx(-120, rel=1e-4)]]


def test_it_has_a_true_gradient() -> None:
    log_prob = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    reward, baseline = torch.rand(3, 1, dtype=torch.float64), torch.rand(3, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: reinforce(x, reward, baseline).policy, log_prob)


def test_the_moving_average_follows_nine_tenths_to_one_tenth() -> None:
    average = MovingAverage()
    assert average(torch.tensor([1.0, 3.0])).item() == 0
    assert average(torch.tensor([1.0])).item() == pytest.approx(0.2)
    assert average(torch.zeros(1)).item() == pytest.approx(0.28)


def test_the_moving_average_rests_in_evaluation() -> None:
    average = MovingAverage().eval()
    average(torch.ones(3))
    assert average(torch.ones(3)).item() == 0
