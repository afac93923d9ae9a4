"""Entry: the linear maps that read one input, as one matrix product that can be taken apart by what it reads."""

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Entry(nn.Module):
    """`parts` are the shapes of what each map puts out, such as `(expert, unit)`; behind each other, flat, they are
    `out_dim` wide. A ReLU follows those that are `rectified`.

    The input is `in_dims` side by side, each of which starts as torch.nn.Linear would start on it alone: a wide one
    does not drown a narrow one.
    """

    def __init__(self, in_dims: Sequence[int], parts: Mapping[str, tuple[int, ...]], rectified: Sequence[str]) -> None:
        super().__init__()
        self.rectified = rectified
        bounds = torch.cat([torch.full((one,), 1 / math.sqrt(max(one, 1))) for one in in_dims])
        self.shapes = dict(parts)
        self.weights = nn.ParameterDict(
            {
                name: nn.Parameter(torch.empty(len(bounds), *shape).uniform_(-1, 1) * _beside(bounds, shape))
                for name, shape in parts.items()
            }
        )
        self.biases = nn.ParameterDict(
            {name: nn.Parameter(torch.empty(shape).uniform_(-1, 1) * bounds[0]) for name, shape in parts.items()}
        )
        self.out_dim = sum(map(math.prod, parts.values()))

    def forward(self, values: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch out"]:
        return torch.addmm(self.bias(), values, self.rows(slice(None)))

    def rows(self, some: slice) -> Float[Tensor, "dim out"]:
        """What these columns of the input are multiplied by."""
        return side_by_side([one[some].flatten(1) for one in self.weights.values()], 1)

    def bias(self) -> Float[Tensor, " out"]:
        return side_by_side([one.flatten() for one in self.biases.values()], 0)

    def apart(self, entered: Float[Tensor, "batch out"]) -> dict[str, Tensor]:
        """`[batch, *shape]` of every part, by name."""
        return shaped(entered, self.shapes)

    def activated(self, parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Those that are rectified lie in memory as networks multiply them."""
        return {name: networks_first(part).relu() if name in self.rectified else part for name, part in parts.items()}

    def added(self, name: str, part: Tensor, values: Float[Tensor, "batch some"], some: slice) -> Tensor:
        """To a part, `[batch, *shape]`, what these columns of the input bring."""
        weight = self.weights[name][some].flatten(1)
        return torch.addmm(part.flatten(1), values, weight).view(-1, *self.shapes[name])

    def parameters_of(self, name: str) -> list[nn.Parameter]:
        return [self.weights[name], self.biases[name]]


def _beside(bounds: Tensor, shape: tuple[int, ...]) -> Tensor:
    return bounds.reshape(-1, *[1] * len(shape))


def side_by_side(tensors: Sequence[Tensor], dim: int) -> Tensor:
    """Concatenated along `dim`; a single one is not copied."""
    return tensors[0] if len(tensors) == 1 else torch.cat(list(tensors), dim)


def taken_apart(values: Float[Tensor, "batch dim"], widths: Sequence[int]) -> Sequence[Tensor]:
    """The columns of each width; a single one is not copied, as the exported graph would."""
    return [values] if len(widths) == 1 else torch.split(values, list(widths), 1)


def shaped(values: Float[Tensor, "batch dim"], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """`[batch, *shape]` of what lies side by side in them."""
    parts = taken_apart(values, [math.prod(one) for one in shapes.values()])
    return {name: part.reshape(-1, *shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


def networks_first(values: Float[Tensor, "batch *count dim"]) -> Float[Tensor, "batch *count dim"]:
    """The same, laid in memory as BatchedMLP multiplies: what is done to it before that need not be undone after."""
    return values.movedim(0, -2).contiguous().movedim(-2, 0)
