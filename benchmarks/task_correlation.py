"""Task correlation: how much does an architecture lose where two tasks have less in common? On labels with known truth.

    python -m benchmarks.task_correlation --out docs/task_correlation.png

The synthetic experiment of Ma et al. (KDD 2018, sections 3.2 and 5): two regression tasks whose weight vectors have
cosine p, made nonlinear by sums of sines; a shared bottom, a mixture with one gate and MMoE of equal size. To be shown:
between high and low correlation MMoE loses least and the shared bottom most, and the shared bottom varies most between
runs. As in the paper there are 200 runs, whose directions, rows and initial weights differ while the sines are given;
Adam takes the rate of the paper's grid that has the lowest loss, on runs of its own. A run draws the same directions
and rows for every architecture and correlation, so that runs are compared in pairs. The last line is one JSON object.
"""

import argparse
import json
import math
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from model.contract.durable import write_durably
from model.sharing.interface import SharingConfig
from model.sharing.mmoe import MMoEConfig
from model.sharing.one_gate import OneGateConfig
from model.sharing.shared_bottom import SharedBottomConfig
from model.towers import Towers
from training.comparison.gains import t_quantile
from training.report.style import PALETTE, PNG_DPI, style

IN_DIM, NUM_TASKS, NUM_SINES = 100, 2, 10
NOISE = 0.1  # standard deviation, of variance .01
SLOPES, PHASES = torch.randn(2, NUM_SINES, generator=torch.Generator().manual_seed(0))  # the paper's alpha and beta
TOWER_UNITS = (8,)
CORRELATIONS = (0.5, 0.9, 1.0)  # from low to high
LEARNING_RATES = (1e-4, 1e-3, 1e-2)
BATCH_SIZE, TEST_ROWS = 256, 4_096
BLOCK = 20  # runs that are trained at once: as many as a processor's cache holds
TUNING_BLOCKS = range(1_000, 1_001)  # of no run that is measured
CURVE_POINTS = 24
# As in the paper, from the one that shall lose least; the shared bottom's width gives it as many parameters.
ARCHITECTURES: Mapping[str, SharingConfig] = {
    "mmoe": MMoEConfig(num_experts=8, expert_units=(16,), gate_dropout=0.0),
    "one_gate": OneGateConfig(num_experts=8, expert_units=(16,), gate_dropout=0.0),
    "shared_bottom": SharedBottomConfig(units=(113,)),
}
Losses = NDArray[np.float64]  # [run]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of every run: the squared error on rows that it has not seen, as a mean over the tasks."""

    final: Losses
    curve: NDArray[np.float64]  # [run, point]: in the course of training, whose batches are all new

    @property
    def course(self) -> Losses:
        """The mean over the course of training: it tells who learns sooner, where all learn the same in the end."""
        return np.asarray(self.curve.mean(1))


ByCorrelation = Mapping[float, Outcome]


def labels(inputs: Tensor, weights: Tensor, generator: torch.Generator) -> Tensor:
    """`[run, row, task]`: y_k = w_k x + sum_i sin(a_i w_k x + b_i) + e, of `[run, row, dim]` and `[run, task, dim]`."""
    linear = torch.einsum("rnd,rtd->rnt", inputs, weights)
    sines = (linear.unsqueeze(3) * SLOPES + PHASES).sin().sum(3)
    return linear + sines + NOISE * torch.randn(linear.shape, generator=generator)


def directions(correlation: float, generator: torch.Generator) -> Tensor:
    """`[run, task, dim]`: w_1 = u_1 and w_2 = p u_1 + sqrt(1 - p^2) u_2 (section 3.2, with c = 1); u whatever p is."""
    basis = torch.linalg.qr(torch.randn(BLOCK, IN_DIM, 2, generator=generator)).Q.transpose(1, 2)
    second = correlation * basis[:, 0] + math.sqrt(1 - correlation**2) * basis[:, 1]
    return torch.stack([basis[:, 0], second], 1)


def build(config: SharingConfig) -> nn.Module:
    sharing = config.build(IN_DIM, NUM_TASKS)
    return nn.Sequential(sharing, Towers(sharing.out_dim, NUM_TASKS, TOWER_UNITS, dropout=0.0))


def train(config: SharingConfig, correlation: float, rate: float, num_steps: int, block: int) -> tuple[Tensor, Tensor]:
    """The runs of a block: the squared errors `[run]` in the end, and `[run, step]`."""
    torch.manual_seed(2 * block)
    networks = [build(config) for _ in range(BLOCK)]
    stacked, _ = stack_module_state(networks)
    parameters = {name: one.detach().requires_grad_() for name, one in stacked.items()}
    bare = deepcopy(networks[0]).to("meta")
    generator = torch.Generator().manual_seed(2 * block + 1)
    weights = directions(correlation, generator)

    def errors(num_rows: int) -> Tensor:
        inputs = torch.randn(BLOCK, num_rows, IN_DIM, generator=generator)
        found = torch.vmap(lambda own, rows: functional_call(bare, own, (rows,)))(parameters, inputs)
        return (found - labels(inputs, weights, generator)).square().mean((1, 2))

    optimizer, course = torch.optim.Adam(parameters.values(), lr=rate), []
    for _ in range(num_steps):
        optimizer.zero_grad()
        error = errors(BATCH_SIZE)
        error.sum().backward()
        optimizer.step()
        course.append(error.detach())
    with torch.no_grad():
        return errors(TEST_ROWS), torch.stack(course, 1)


def measure(
    config: SharingConfig, correlation: float, rate: float, num_steps: int, blocks: Iterable[int], progress: Any
) -> Outcome:
    """All runs of these blocks."""
    finals, curves = [], []
    for block in blocks:
        final, course = train(config, correlation, rate, num_steps, block)
        finals.append(final)
        curves.append(torch.stack([part.mean(1) for part in course.tensor_split(CURVE_POINTS, 1)], 1))
        progress()
    return Outcome(torch.cat(finals).double().numpy(), torch.cat(curves).double().numpy())


def interval(values: Losses) -> tuple[float, float, float]:
    """Mean, and the ends of its 95% t-interval over the runs."""
    half = t_quantile(1 / (len(values) - 1)) * float(values.std(ddof=1)) / math.sqrt(len(values))
    return float(values.mean()), float(values.mean()) - half, float(values.mean()) + half


def variance_ratio(above: Losses, below: Losses) -> tuple[float, float, float]:
    """Of the variance between runs, with its 95% bootstrap interval; the same runs are drawn for both."""
    rows = np.random.default_rng(0).integers(len(above), size=(2_000, len(above)))
    drawn = above[rows].var(axis=1, ddof=1) / below[rows].var(axis=1, ddof=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(above.var(ddof=1) / below.var(ddof=1)), float(low), float(high)


def conclusions(outcomes: Mapping[str, ByCorrelation]) -> dict[str, tuple[float, float, float]]:
    """Each with its interval: what is lost from the highest correlation to the lowest in pairs of runs, in the end and
    over the course, with the differences between architectures; and ratios of the variances of final losses."""
    found = {}
    for when in ("final", "course"):
        gaps = {
            name: getattr(by_p[CORRELATIONS[0]], when) - getattr(by_p[CORRELATIONS[-1]], when)
            for name, by_p in outcomes.items()
        }
        found |= {f"{when} gap of {name}": interval(one) for name, one in gaps.items()}
        for less, more in pairwise(ARCHITECTURES):
            found[f"{when} gap of {more} - gap of {less}"] = interval(gaps[more] - gaps[less])
    *others, widest = ARCHITECTURES
    for name in others:
        for p in CORRELATIONS:
            ratio = variance_ratio(outcomes[widest][p].final, outcomes[name][p].final)
            found[f"variance of {widest} / of {name}, p = {p:g}"] = ratio
    return found


def draw(outcomes: Mapping[str, ByCorrelation], num_steps: int, path: Path) -> None:
    """As the paper does: mean losses in the course of training above, the runs' last losses below."""
    steps = (np.arange(CURVE_POINTS) + 0.5) * num_steps / CURVE_POINTS
    last = np.concatenate([one.final for by_p in outcomes.values() for one in by_p.values()])
    bins = np.geomspace(last.min(), last.max(), 30)
    with style():
        figure = Figure(figsize=(8.2, 4.6), layout="constrained")
        axes = figure.subplots(2, len(CORRELATIONS), sharey="row", sharex="row")
        for (above, below), p in zip(axes.T, CORRELATIONS, strict=True):
            for (name, by_p), color in zip(outcomes.items(), PALETTE, strict=False):
                means, lows, highs = np.transpose([interval(point) for point in by_p[p].curve.T])
                above.plot(steps, means, color=color, label=name)
                above.fill_between(steps, lows, highs, color=color, alpha=0.2, linewidth=0)
                below.hist(by_p[p].final, bins, color=color, histtype="step")
            above.set(title=f"correlation {p:g}", xlabel="step", yscale="log")
            below.set(xlabel="squared error in the end", xscale="log")
            for axis in (above.yaxis, below.xaxis):
                axis.set_major_formatter("{x:g}")
        axes[0, 0].set_ylabel("squared error")
        axes[1, 0].set_ylabel("runs")
        axes[0, 0].legend()
        write_durably(path, lambda beside: figure.savefig(beside, format="png", dpi=PNG_DPI))


def tuned(config: SharingConfig, num_steps: int, progress: Any) -> float:
    """The learning rate with the lowest mean loss over the correlations."""

    def loss(rate: float) -> float:
        found = [measure(config, p, rate, num_steps, TUNING_BLOCKS, progress).final.mean() for p in CORRELATIONS]
        return float(np.mean(found))

    return min(LEARNING_RATES, key=loss)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help=f"a multiple of {BLOCK}")
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--out", type=Path, help="draw a picture here")
    options = parser.parse_args()
    if options.runs < BLOCK or options.runs % BLOCK:
        parser.error(f"--runs: expected a multiple of {BLOCK}, found {options.runs}")
    blocks = range(options.runs // BLOCK)
    rates: dict[str, float] = {}
    outcomes: dict[str, dict[float, Outcome]] = {}
    with Progress() as bar:
        num_blocks = len(LEARNING_RATES) * len(TUNING_BLOCKS) + len(blocks)
        task = bar.add_task("training", total=num_blocks * len(ARCHITECTURES) * len(CORRELATIONS))
        for name, config in ARCHITECTURES.items():
            rates[name] = tuned(config, options.steps, lambda: bar.advance(task))
            outcomes[name] = {
                p: measure(config, p, rates[name], options.steps, blocks, lambda: bar.advance(task))
                for p in CORRELATIONS
            }
    found = conclusions(outcomes)
    table = Table(title=f"{options.runs} runs, {options.steps} steps; 95% intervals", title_justify="left")
    for head in ("", "mean", "from", "to"):
        table.add_column(head, justify="right" if head else "left")
    rows = {f"{name}, p = {p:g}": interval(one.final) for name, by_p in outcomes.items() for p, one in by_p.items()}
    for name, values in (rows | found).items():
        table.add_row(name, *(f"{value:.4f}" for value in values))
    Console().print(table)
    if options.out:
        draw(outcomes, options.steps, options.out)
    print(
        json.dumps(
            {"learning rates": rates} | {name: [round(one, 5) for one in value] for name, value in found.items()}
        )
    )


if __name__ == "__main__":
    main()
