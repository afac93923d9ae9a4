"""History: the (video, outcomes) pairs that a user left behind, as what is known of the user and as what can be asked.

A user is thus adapted to at request time, with no gradient step: a black-box meta-learner whose training set is the
history.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

NEVER = -1e4  # as a score: exp() of it is 0, and it stays finite where -inf would not


class HistoryEncoder(nn.Module):
    """A set function (Zaheer et al., Deep Sets, NeurIPS 2017, theorem 2): every pair goes through a small network, and
    their sum is divided by their number and `smoothing` more, for a few pairs say little.
    """

    def __init__(self, video_dim: int, num_outcomes: int, out_dim: int, smoothing: float) -> None:
        super().__init__()
        self.pair = nn.Linear(video_dim + num_outcomes, out_dim)
        self.out_dim, self.smoothing = out_dim, smoothing

    def forward(
        self,
        videos: Float[Tensor, "batch length dim"],
        outcomes: Float[Tensor, "batch length outcome"],
        present: Bool[Tensor, "batch length"],
    ) -> Float[Tensor, "batch out"]:
        weight = present.to(videos.dtype).unsqueeze(2)
        pairs = torch.relu(self.pair(torch.cat([videos, outcomes], 2)))
        return (pairs * weight).sum(1) / (weight.sum(1) + self.smoothing)


class TargetAttention(nn.Module):
    """What in a history bears on one candidate: the mean of values of the pairs, weighed by how much the candidate asks
    for each (Zhou et al., Deep Interest Network, KDD 2018; by a softmax over the support set, Vinyals et al., Matching
    Networks, NeurIPS 2016, equation 1).

    Unlike there one more pair, imagined, of value 0 and of score `silence`, takes its share of the softmax: a candidate
    may ask for nothing that is there, few pairs say little, and of no pairs the answer is exactly 0.

    `memory` depends on the request alone, the query is linear in the candidate: each travels with its half.
    """

    def __init__(self, video_dim: int, num_outcomes: int, length: int, dim: int) -> None:
        super().__init__()
        self.length, self.dim = length, dim
        self.key = nn.Linear(video_dim, dim)
        self.value = nn.Linear(video_dim + num_outcomes, dim)
        self.weight = nn.Linear(video_dim + num_outcomes, 1)
        self.silence = nn.Parameter(torch.ones(1))
        self.memory_dim = length * (2 * dim + 1)

    def memory(
        self,
        videos: Float[Tensor, "batch length dim"],
        outcomes: Float[Tensor, "batch length outcome"],
        present: Bool[Tensor, "batch length"],
    ) -> Float[Tensor, "batch memory"]:
        """Keys, values and the scores that pairs have by themselves, side by side."""
        pairs, there = torch.cat([videos, outcomes], 2), present.to(videos.dtype).unsqueeze(2)
        scores = torch.where(present, self.weight(pairs).squeeze(2), NEVER)
        keys, values = self.key(videos) * there / self.dim**0.5, torch.relu(self.value(pairs)) * there
        return torch.cat([keys.flatten(1), values.flatten(1), scores], 1)

    def forward(
        self, queries: Float[Tensor, "batch dim"], memory: Float[Tensor, "request memory"]
    ) -> Float[Tensor, "batch dim"]:
        """`memory` has one row for all candidates, or one for each."""
        size = self.length * self.dim
        keys, values, scores = torch.split(memory, [size, size, self.length], 1)
        shape = (-1, self.length, self.dim)
        scores = (queries.unsqueeze(1) @ keys.reshape(shape).transpose(1, 2)).squeeze(1) + scores
        silence = self.silence.expand(scores.shape[0], 1)
        weights = torch.softmax(torch.cat([scores, silence], 1), 1)[:, :-1]
        return (weights.unsqueeze(1) @ values.reshape(shape)).squeeze(1)
