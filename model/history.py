"""History encoder: the (video, outcomes) pairs that a user left behind to one vector: what we know of this user."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class HistoryEncoder(nn.Module):
    """A set function (Zaheer et al., Deep Sets, NeurIPS 2017, theorem 2): every pair goes through one small network;
    the mean over the pairs, with the mean outcomes and the logarithm of their number, is the user.

    A user is thus adapted to at request time, with no gradient step: a black-box meta-learner.
    """

    def __init__(self, video_dim: int, num_outcomes: int, units: int) -> None:
        super().__init__()
        self.pair = nn.Linear(video_dim + num_outcomes, units)
        self.out_dim = units + num_outcomes + 1

    def forward(
        self,
        videos: Float[Tensor, "batch length dim"],
        outcomes: Float[Tensor, "batch length outcome"],
        present: Bool[Tensor, "batch length"],
    ) -> Float[Tensor, "batch out"]:
        weight = present.to(videos.dtype).unsqueeze(2)
        count = weight.sum(1)
        pairs = torch.cat([torch.relu(self.pair(torch.cat([videos, outcomes], 2))), outcomes], 2)
        return torch.cat([(pairs * weight).sum(1) / count.clamp(min=1), torch.log1p(count)], 1)
