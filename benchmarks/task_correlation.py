"""Task correlation: how much does an architecture lose where two tasks have less in common? On labels with known truth.

    python -m benchmarks.task_correlation --runs 40 --out docs/task_correlation.png

The synthetic experiment of Ma et al. (KDD 2018, section 3.2): two regression tasks whose weight vectors have cosine p,
made nonlinear by sums of sines; a shared bottom, a mixture with one gate and MMoE of equal size. To be shown: between
high and low correlation MMoE loses least and the shared bottom most, and the shared bottom varies most between runs.
All runs of an architecture are trained at once, each on its own labels, the same for every architecture, so that runs
are compared in pairs. The last line is one JSON object.
"""

import argparse
import json
import math
from collections.abc import Mapping
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
TOWER_UNITS = (8,)
CORRELATIONS = (0.5, 0.9, 1.0)  # from low to high
BATCH_SIZE, TEST_ROWS, LEARNING_RATE = 256, 4_096, 2e-3
# As in the paper, from the one that shall lose least; the shared bottom's width gives it as many parameters.
ARCHITECTURES: Mapping[str, SharingConfig] = {
    "mmoe": MMoEConfig(num_experts=8, expert_units=(16,), gate_dropout=0.0),
    "one_gate": OneGateConfig(num_experts=8, expert_units=(16,), gate_dropout=0.0),
    "shared_bottom": SharedBottomConfig(units=(113,)),
}
Losses = NDArray[np.float64]  # [run]


@dataclass(frozen=True, slots=True)
class Labels:
    """Of every run: unit directions `[run, task, dim]`, and the sines' slopes and phases `[run, sine]`."""

    weights: Tensor
    slopes: Tensor
    phases: Tensor

    def of(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """`[run, row, task]`: y_k = w_k x + sum_i sin(a_i w_k x + b_i) + e, for inputs `[run, row, dim]`."""
        linear = torch.einsum("rnd,rtd->rnt", inputs, self.weights)
        angles = linear.unsqueeze(3) * self.slopes[:, None, None] + self.phases[:, None, None]
        return linear + angles.sin().sum(3) + NOISE * torch.randn(linear.shape, generator=generator)


def draw_labels(num_runs: int, correlation: float) -> Labels:
    """w_1 = u_1 and w_2 = p u_1 + sqrt(1 - p^2) u_2 (equation 1, with c = 1): the same u, a and b for every p."""
    generator = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(num_runs, IN_DIM, 2, generator=generator)).Q.transpose(1, 2)
    second = correlation * basis[:, 0] + math.sqrt(1 - correlation**2) * basis[:, 1]
    slopes, phases = torch.randn(2, num_runs, NUM_SINES, generator=generator)
    return Labels(torch.stack([basis[:, 0], second], 1), slopes, phases)


def build(config: SharingConfig) -> nn.Module:
    sharing = config.build(IN_DIM, NUM_TASKS)
    return nn.Sequential(sharing, Towers(sharing.out_dim, NUM_TASKS, TOWER_UNITS, dropout=0.0))


def measure(config: SharingConfig, correlation: float, num_runs: int, num_steps: int, progress: Any) -> Losses:
    """The squared error of each run, on rows that it has not seen, as a mean over the tasks."""
    torch.manual_seed(1)
    networks = [build(config) for _ in range(num_runs)]
    stacked, _ = stack_module_state(networks)
    parameters = {name: one.detach().requires_grad_() for name, one in stacked.items()}
    bare = deepcopy(networks[0]).to("meta")
    labels, generator = draw_labels(num_runs, correlation), torch.Generator().manual_seed(2)

    def errors(num_rows: int) -> Tensor:
        inputs = torch.randn(num_runs, num_rows, IN_DIM, generator=generator)
        found = torch.vmap(lambda own, rows: functional_call(bare, own, (rows,)))(parameters, inputs)
        return (found - labels.of(inputs, generator)).square().mean((1, 2))

    optimizer = torch.optim.Adam(parameters.values(), lr=LEARNING_RATE)
    for _ in range(num_steps):
        optimizer.zero_grad()
        errors(BATCH_SIZE).sum().backward()
        optimizer.step()
        progress()
    with torch.no_grad():
        return errors(TEST_ROWS).double().numpy()


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


def conclusions(losses: Mapping[str, Mapping[float, Losses]]) -> dict[str, tuple[float, float, float]]:
    """Each with its interval: differences of what is lost from high to low correlation, and ratios of variances."""
    gaps = {name: by_p[CORRELATIONS[0]] - by_p[CORRELATIONS[-1]] for name, by_p in losses.items()}
    found = {f"gap of {name}": interval(gap) for name, gap in gaps.items()}
    found |= {
        f"gap of {more} - gap of {less}": interval(gaps[more] - gaps[less]) for less, more in pairwise(ARCHITECTURES)
    }
    *others, widest = ARCHITECTURES
    low = {name: by_p[CORRELATIONS[0]] for name, by_p in losses.items()}
    return found | {f"variance of {widest} / of {name}": variance_ratio(low[widest], low[name]) for name in others}


def draw(losses: Mapping[str, Mapping[float, Losses]], path: Path) -> None:
    with style():
        figure = Figure(figsize=(5.2, 3.2))
        axes = figure.subplots()
        for at, ((name, by_p), color) in enumerate(zip(losses.items(), PALETTE, strict=False)):
            means, lows, highs = zip(*map(interval, by_p.values()), strict=True)
            places = np.arange(len(CORRELATIONS)) + (at - 1) * 0.06
            reach = [np.subtract(means, lows), np.subtract(highs, means)]
            axes.errorbar(places, means, reach, color=color, marker="o", markersize=4, capsize=2, label=name)
        axes.set_xticks(range(len(CORRELATIONS)), [f"{one:g}" for one in CORRELATIONS])
        axes.set(
            xlabel="task correlation", ylabel="squared error", title="The less tasks share, the more gates are worth"
        )
        axes.legend()
        write_durably(path, lambda beside: figure.savefig(beside, format="png", dpi=PNG_DPI))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=4_000)
    parser.add_argument("--out", type=Path, help="draw a picture here")
    options = parser.parse_args()
    losses: dict[str, dict[float, Losses]] = {}
    with Progress() as bar:
        for name, config in ARCHITECTURES.items():
            losses[name] = {}
            for correlation in CORRELATIONS:
                task = bar.add_task(f"{name}, correlation {correlation:g}", total=options.steps)
                losses[name][correlation] = measure(
                    config, correlation, options.runs, options.steps, lambda task=task: bar.advance(task)
                )
    found = conclusions(losses)
    table = Table(title=f"{options.runs} runs, {options.steps} steps; 95% intervals", title_justify="left")
    for head in ("", "mean", "from", "to"):
        table.add_column(head, justify="right" if head else "left")
    rows = {f"{name}, p = {p:g}": interval(one) for name, by_p in losses.items() for p, one in by_p.items()}
    for name, values in (rows | found).items():
        table.add_row(name, *(f"{value:.4f}" for value in values))
    Console().print(table)
    if options.out:
        draw(losses, options.out)
    print(json.dumps({name: [round(value, 5) for value in values] for name, values in found.items()}))


if __name__ == "__main__":
    main()
