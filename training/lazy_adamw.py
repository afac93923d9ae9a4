"""LazyAdamW: AdamW on an embedding table, at the cost of the rows that a step touches."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from training.averaging import average_decay, log_average_decay
from training.hardware import in_any_order, in_large_pages

BETAS, EPSILON = (0.9, 0.999), 1e-8  # torch.optim.AdamW's own
ROWS_AT_ONCE = 65_536
SMALLEST_GAP = 1e-7  # between the ratios of two geometric series, where their difference is divided by


@dataclass(frozen=True, slots=True)
class Rates:
    """`decay` is what a step takes of every row, learning rate x decay; `average` the decay of the moving average."""

    learning_rate: float
    decay: float
    average: float


@dataclass(frozen=True, slots=True)
class Rows:
    """Copies of the rows `numbers`, made up to the step before: they wait for a gradient on `weight`."""

    numbers: Int[Tensor, " row"]
    weight: nn.Parameter
    moments: Float[Tensor, "row two dim"]
    average: Float[Tensor, "row dim"] | None


class LazyAdamW:
    """AdamW (Loshchilov and Hutter, ICLR 2019) as if every row took every step, those that no batch touches with a
    gradient of 0: the decay shrinks them, and what momentum is left moves them. Such steps are made up for, all at
    once, when a row is next touched or a whole table is asked for. After `missed` of them

        w' = a^n w - p (a^(n-1) q + ... + q^n),  a = 1 - decay,  q = b1 / sqrt(b2),  p = lr m^ / sqrt(v^)

    with Adam's first and second moment of the last step taken, m' = b1^n m and v' = b2^n v. That is what the steps
    would have done, but for Adam's corrections of its first steps, which are taken as they were at the last one. The
    moving average follows likewise; its decay, too, is taken as constant over the steps missed, at their mean.
    """

    def __init__(self, table: nn.Embedding, average: nn.Embedding | None, rates: Rates) -> None:
        """`average` is the table that follows `table` as its moving average."""
        for one in filter(None, (table, average)):
            one.weight.data = in_large_pages(one.weight.data)
        self.weight, self.rates = table.weight.detach(), rates
        self.average = None if average is None else average.weight.detach()
        num_rows, dim = self.weight.shape
        self.moments = in_large_pages(self.weight.new_zeros(num_rows, 2, dim))
        self.last = torch.zeros(num_rows, dtype=torch.int32, device=self.weight.device)  # step that the row is up to
        self.num_steps = 0

    @torch.no_grad()
    def lend(self, numbers: Int[Tensor, " row"]) -> Rows:
        """Rows to compute a gradient on, no number twice; the table itself stays as it is until `take`."""
        # Not by brackets, which go from one element to the next instead of copying a row.
        average = None if self.average is None else self.average.index_select(0, numbers)
        weight, moments = (one.index_select(0, numbers) for one in (self.weight, self.moments))
        rows = Rows(numbers, nn.Parameter(weight), moments, average)
        self._make_up(rows, self.last.index_select(0, numbers))
        return rows

    @torch.no_grad()
    def take(self, rows: Rows) -> None:
        """One step, with the gradient that the rows were given."""
        step = self.num_steps + 1
        rates, gradient = self.rates, rows.weight.grad
        weight, (first, second) = rows.weight.detach(), rows.moments.unbind(1)
        if gradient is not None:
            first.lerp_(gradient, 1 - BETAS[0])
            second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        weight.mul_(1 - rates.decay)
        unbiased = (1 - BETAS[1] ** step) ** 0.5
        size = rates.learning_rate * unbiased / (1 - BETAS[0] ** step)
        weight.addcdiv_(first, _root(second).add_(EPSILON * unbiased), value=-size)
        if rows.average is not None:
            rows.average.lerp_(weight, 1 - average_decay(rates.average, step))
        self.num_steps = step
        self._keep(rows)

    @torch.no_grad()
    def catch_up(self) -> None:
        """Make up for all steps that any row has missed."""
        # Without decay there is nothing to make up for where there was no gradient yet.
        behind = torch.ones_like(self.last) if self.rates.decay else self.last
        for numbers in torch.split(behind.nonzero().squeeze(1), ROWS_AT_ONCE):
            self._keep(self.lend(numbers))

    def _keep(self, rows: Rows) -> None:
        with in_any_order():
            self.weight.index_copy_(0, rows.numbers, rows.weight.detach())
            self.moments.index_copy_(0, rows.numbers, rows.moments)
            if self.average is not None and rows.average is not None:
                self.average.index_copy_(0, rows.numbers, rows.average)
            self.last.index_fill_(0, rows.numbers, self.num_steps)

    def _make_up(self, rows: Rows, last: Int[Tensor, " row"]) -> None:
        last = last.double()
        missed = self.num_steps - last
        keep, carry = 1 - self.rates.decay, BETAS[0] / BETAS[1] ** 0.5
        keep = keep if abs(keep - carry) > SMALLEST_GAP else carry + SMALLEST_GAP
        unbiased = (1 - BETAS[1] ** last).sqrt()
        size = self.rates.learning_rate * unbiased / (1 - BETAS[0] ** last).clamp(min=1 - BETAS[0])
        first, second = rows.moments.unbind(1)
        pull = _root(second).add_(EPSILON).reciprocal_().mul_(first)
        kept, carried = keep**missed, carry**missed
        if rows.average is not None:
            held = log_average_decay(self.rates.average, self.num_steps) - log_average_decay(self.rates.average, last)
            mean = (held / missed.clamp(min=1)).exp()
            followed, gone = _series(mean, keep, missed), _series(mean, carry, missed)
            tail = size * carry / (keep - carry) * (followed - gone)
            rows.average.mul_(_column(held.exp()))
            rows.average.addcmul_(rows.weight, _column((1 - mean) * followed))
            rows.average.addcmul_(pull, _column((mean - 1) * tail))
        rows.weight.mul_(_column(kept))
        rows.weight.addcmul_(pull, _column(-size * carry * (kept - carried) / (keep - carry)))
        rows.moments.mul_(torch.stack([BETAS[0] ** missed, BETAS[1] ** missed], 1).float().unsqueeze(2))

    def state_dict(self) -> dict[str, Tensor]:
        return {"moments": self.moments, "last": self.last}

    def load_state_dict(self, state: Mapping[str, Tensor], num_steps: int) -> None:
        self.moments.copy_(state["moments"])
        self.last.copy_(state["last"])
        self.num_steps = num_steps


def _root(values: Float[Tensor, "row dim"]) -> Float[Tensor, "row dim"]:
    """Of every other row of the moments: torch would take one root after the other there, and of a copy several."""
    return values.clone(memory_format=torch.contiguous_format).sqrt_()


def _column(values: Float[Tensor, " row"]) -> Float[Tensor, "row 1"]:
    return values.float().unsqueeze(1)


def _series(ratio: Float[Tensor, " row"], other: float, count: Float[Tensor, " row"]) -> Float[Tensor, " row"]:
    """ratio^(n-1) other + ratio^(n-2) other^2 + ... + other^n."""
    ratio = torch.where((ratio - other).abs() > SMALLEST_GAP, ratio, other + SMALLEST_GAP)
    return other * (ratio**count - other**count) / (ratio - other)
