"""Draws the experts: which task takes how much of which, and which experts have died."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from training.evidence.experts import Experts
from training.health import ExpertsHealth, GateHealth
from training.report.exhibit import Cell, Exhibit, Picture, Table, Width
from training.report.style import FAINT, INK, QUIET, new_figure, picture

SHADES = LinearSegmentedColormap.from_list("share", ["#ffffff", "#cfe3f2", "#5ba3d0", "#0072b2", "#003f66"])


def draw(experts: Experts) -> Exhibit:
    return Exhibit(
        """How much of each expert each task takes: the probability that its gate gives it, over validation rows. On the
        right the gate's entropy: 1 where all experts get the same, 0 where one gets all. A row with one dark cell is
        a polarised gate, which has stopped sharing; a pale column is an expert that nobody uses; equal rows are tasks
        that the gates do not tell apart.""",
        [_map(one, experts.tasks) for one in experts.health.gates],
        [_dead(experts.health.experts)] if experts.health.experts else [],
    )


def _map(gate: GateHealth, tasks: tuple[str, ...]) -> Picture:
    shares = np.array(gate.tasks)
    num_experts = shares.shape[1]
    drawn = new_figure(Width.HALF, 1.0 + 0.34 * len(tasks))
    axes, beside = drawn.subplots(1, 2, sharey=True, width_ratios=[5, 1])
    axes.imshow(shares, cmap=SHADES, vmin=0, vmax=max(2.5 / num_experts, float(shares.max())), aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        dark = share > 0.55 * max(2.5 / num_experts, float(shares.max()))
        axes.text(
            column, row, f"{share:.0%}"[:-1], ha="center", va="center", fontsize=7.5, color="white" if dark else INK
        )
    axes.set_xticks(range(num_experts), [str(at + 1) for at in range(num_experts)])
    axes.set_yticks(range(len(tasks)), tasks, color=INK)
    axes.set_xlabel("expert, % of the gate's probability")
    axes.set_title(gate.name)
    beside.barh(range(len(tasks)), gate.entropy, height=0.5, color="#0072b2", alpha=0.8)
    beside.set_xlim(0, 1)
    beside.set_xticks([0, 1])
    beside.set_xlabel("entropy")
    beside.set_facecolor(FAINT)
    for one in (axes, beside):
        one.grid(visible=False)
        one.tick_params(length=0)
        one.spines[:].set_visible(False)
    beside.tick_params(labelleft=False, labelcolor=QUIET)
    said = "; ".join(
        f"{task} {', '.join(f'{one:.0%}' for one in row)}" for task, row in zip(tasks, shares, strict=True)
    )
    return picture(
        drawn, f"experts-{gate.name or 'gate'}", f"{gate.name}, share of each expert by task: {said}", Width.HALF
    )


def _dead(groups: tuple[ExpertsHealth, ...]) -> Table:
    most = max(len(one.dead_units) for one in groups)

    def row(one: ExpertsHealth) -> list[Cell]:
        shares = [Cell(f"{share:.0%}", look="bad" if share > 0.5 else "") for share in one.dead_units]
        return [Cell(one.name), *shares, *[Cell("")] * (most - len(shares))]

    head = ("experts", *(str(at + 1) for at in range(most)))
    return Table("Dead units: outputs that rise above 0 in no row", head, [row(one) for one in groups])
