"""A small random network whose features neither fade nor explode."""

import pytest
import torch

from shipdet.models.task_partition import TaskPartition


@pytest.fixture(scope="module")
def network() -> TaskPartition:
    """With random weights, its batch norms settled on noise, in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = TaskPartition()
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None
        with torch.no_grad():
            network.train()(torch.randn(4, 3, 128, 128))
    return network.eval().to(memory_format=torch.channels_last)
