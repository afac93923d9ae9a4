"""Conditioned: what each way of telling the network its task can represent."""

import pytest
import torch

from model.batched import BatchedMLP
from model.sharing.conditioned import Conditioned, ConditionedConfig
from tests.model.sharing.plain import network, rows

IN_DIM, TASKS, UNITS = 5, 3, (6, 4)


def make(conditioning: str, descriptor_dim: int = 2, units: tuple[int, ...] = UNITS) -> Conditioned:
    torch.manual_seed(0)
    config = ConditionedConfig.model_validate(
        {"conditioning": conditioning, "descriptor_dim": descriptor_dim, "units": units}
    )
    return config.build(IN_DIM, TASKS).double().eval()


def test_each_layer_takes_in_the_tasks_descriptor() -> None:
    hidden = rows(7, IN_DIM).double()
    for conditioning in ("concatenation", "additive", "multiplicative"):
        sharing = make(conditioning)
        for task in range(TASKS):
            values, descriptor = hidden, sharing.descriptors[task]
            for layer in sharing.layers:
                if conditioning == "concatenation":
                    values = layer.linear(torch.cat([values, descriptor.expand(len(values), -1)], 1))
                elif conditioning == "additive":
                    values = layer.linear(values) + layer.of_task(descriptor)
                else:
                    values = layer.linear(values) * (1 + layer.of_task(descriptor))
                values = torch.relu(values)
            torch.testing.assert_close(sharing(hidden)[:, task], values)


@torch.no_grad()
def test_concatenation_and_additive_are_one_class_of_functions() -> None:
    """Whatever either is, the other can be: the weights of a concatenation are those of the sum, side by side."""
    concatenation, additive = make("concatenation"), make("additive")
    hidden = rows(50, IN_DIM).double()
    for of, to in ((concatenation, additive), (additive, concatenation)):
        for one in of.parameters():
            one.normal_()
        to.descriptors.copy_(of.descriptors)
        for left, right in zip(concatenation.layers, additive.layers, strict=True):
            if of is concatenation:
                right.linear.weight.copy_(left.linear.weight[:, : right.linear.in_features])
                right.of_task.weight.copy_(left.linear.weight[:, right.linear.in_features :])
                right.linear.bias.copy_(left.linear.bias)
            else:
                left.linear.weight.copy_(torch.cat([right.linear.weight, right.of_task.weight], 1))
                left.linear.bias.copy_(right.linear.bias)
        expected = of(hidden)
        assert expected.std() > 0.1
        torch.testing.assert_close(to(hidden), expected, rtol=1e-12, atol=1e-12)


@torch.no_grad()
def test_multiplicative_can_be_independent_networks() -> None:
    """Each task's units are a block of their own, and its gates shut all others: nothing of one reaches another."""
    alone = BatchedMLP(TASKS, (IN_DIM, *UNITS)).double()
    sharing = make("multiplicative", descriptor_dim=TASKS, units=tuple(TASKS * one for one in UNITS))
    sharing.descriptors.copy_(torch.eye(TASKS))
    for at, layer in enumerate(sharing.layers):
        width = UNITS[at]
        block = torch.eye(TASKS).repeat_interleave(width, 0)  # [unit, task]
        layer.of_task.weight.copy_(block - 1)
        layer.linear.weight.zero_()
        for task in range(TASKS):
            units = slice(task * width, (task + 1) * width)
            below = slice(None) if at == 0 else slice(task * UNITS[at - 1], (task + 1) * UNITS[at - 1])
            layer.linear.weight[units, below] = alone.weights[at][task].T
            layer.linear.bias[units] = alone.biases[at][task]
    hidden = rows(50, IN_DIM).double()
    found = sharing(hidden).unflatten(2, (TASKS, UNITS[-1]))
    for task in range(TASKS):
        torch.testing.assert_close(found[:, task, task], network(alone, task, hidden), rtol=1e-12, atol=1e-12)
        others = [other for other in range(TASKS) if other != task]
        assert not found[:, task, others].any()


def test_a_way_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="'concatenation', 'additive' or 'multiplicative'"):
        ConditionedConfig.model_validate({"conditioning": "hopeful"})
