"""Deep relation: the prior's density, its covariances by the paper's rule, what it finds out about tasks."""

import torch
from torch import Tensor

from model.sharing.deep_relation import SHRINKAGE, DeepRelation, DeepRelationConfig, TensorNormal
from tests.model.sharing.plain import network, rows

IN_DIM, TASKS = 5, 3


def make() -> DeepRelation:
    torch.manual_seed(0)
    return DeepRelationConfig(shared_units=(6,), task_units=(4, 2), strength=0.5).build(IN_DIM, TASKS)


def covariance(size: int) -> Tensor:
    root = torch.randn(size, size)
    return root @ root.T + torch.eye(size)


def normalised(scatter: Tensor) -> Tensor:
    size = len(scatter)
    return (1 - SHRINKAGE) * scatter / (scatter.trace() / size) + SHRINKAGE * torch.eye(size)


def test_tasks_have_layers_of_their_own_above_the_shared() -> None:
    sharing, hidden = make(), rows(7, IN_DIM)
    shared = network(sharing.shared, 0, hidden)
    for task in range(TASKS):
        torch.testing.assert_close(sharing(hidden)[:, task], network(sharing.networks, task, shared))


def test_the_prior_is_a_normal_distribution_with_kronecker_covariance() -> None:
    torch.manual_seed(0)
    prior, weight = TensorNormal(TASKS, 4, 2), torch.randn(TASKS, 4, 2)
    for one in (prior.task, prior.input, prior.output):
        one.copy_(covariance(len(one)))
    whole = torch.kron(torch.kron(prior.task, prior.input), prior.output)
    normal = torch.distributions.MultivariateNormal(torch.zeros(len(whole)), whole)
    other = torch.randn(TASKS, 4, 2)
    found, expected = prior(weight) - prior(other), normal.log_prob(other.flatten()) - normal.log_prob(weight.flatten())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_covariances_follow_the_flip_flop_rule_in_the_order_tasks_inputs_outputs() -> None:
    torch.manual_seed(0)
    prior, weight = TensorNormal(TASKS, 4, 2), torch.randn(TASKS, 4, 2)
    for one in (prior.input, prior.output):
        one.copy_(covariance(len(one)))
    unfolded = weight.flatten(1)
    task = normalised(unfolded @ torch.linalg.inv(torch.kron(prior.input, prior.output)) @ unfolded.T)
    unfolded = weight.transpose(0, 1).flatten(1)
    inputs = normalised(unfolded @ torch.linalg.inv(torch.kron(task, prior.output)) @ unfolded.T)
    unfolded = weight.permute(2, 0, 1).flatten(1)
    outputs = normalised(unfolded @ torch.linalg.inv(torch.kron(task, inputs)) @ unfolded.T)
    prior.update(weight)
    for found, expected in ((prior.task, task), (prior.input, inputs), (prior.output, outputs)):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_it_finds_which_tasks_are_alike() -> None:
    torch.manual_seed(0)
    first, third = torch.randn(8, 6), torch.randn(8, 6)
    prior = TensorNormal(TASKS, 8, 6)
    for _ in range(5):
        prior.update(torch.stack([first, first + 0.3 * torch.randn(8, 6), third]))
    assert prior.task[0, 1] > 0.6
    assert prior.task[[0, 1], 2].abs().max() < 0.4


def test_covariances_are_brought_up_to_date_in_training_alone_and_travel_with_the_weights() -> None:
    sharing = make()
    fresh = {name: one.clone() for name, one in sharing.state_dict().items()}
    sharing.eval().penalty()
    assert all(torch.equal(one, fresh[name]) for name, one in sharing.state_dict().items())
    penalty = sharing.train().penalty()
    changed = {name for name, one in sharing.state_dict().items() if not torch.equal(one, fresh[name])}
    assert changed == {f"priors.{at}.{one}" for at in range(2) for one in ("task", "input", "output")}
    other = make()
    other.load_state_dict(sharing.state_dict())
    assert torch.equal(other.eval().penalty(), penalty)


def test_a_prior_that_is_followed_alone_shrinks_weights_and_stays_finite() -> None:
    sharing = make().train()
    before = sharing.penalty()
    optimizer = torch.optim.SGD(sharing.networks.parameters(), lr=0.3)
    for _ in range(100):
        optimizer.zero_grad()
        sharing.penalty().backward()
        optimizer.step()
    assert all(one.isfinite().all() for one in sharing.state_dict().values())
    assert sharing.penalty() < 0.01 * before
