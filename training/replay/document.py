"""What a replay leaves in its folder: replay.json for programs, front.png for people."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from model.contract.durable import write_text
from model.contract.tasks import Task
from training.replay.drawing import draw_front
from training.replay.front import Front
from training.replay.replay import Replay


def write(replayed: Replay, tasks: Sequence[Task], folder: Path) -> None:
    """Both files appear whole or not at all."""
    write_text(folder / "replay.json", _document(replayed))
    draw_front(replayed, {task.name: task.unit for task in tasks}, folder / "front.png")


def _document(replayed: Replay) -> str:
    """JSON has no NaN: what cannot be had is null."""
    asked = replayed.asked
    found = {
        "split": asked.split,
        "top_k": asked.top_k,
        "num_requests": replayed.num_requests,
        "num_logged": replayed.num_logged,
        "policies": {name: policy.model_dump(mode="json") for name, policy in asked.policies.items()},
        "reference": {"name": replayed.reference, "values": _plain(replayed.reference_values)},
        "orders": _plain(replayed.orders),
        "front": _front(replayed.front),
        "off_policy": _plain(replayed.off_policy),
        "notes": replayed.notes,
    }
    return json.dumps(found, indent=1)


def _front(front: Front) -> dict[str, Any]:
    """`dominated_by` are places in the list of swept policies."""

    def by_task(values: Any) -> dict[str, float]:
        return dict(zip(front.tasks, map(float, values), strict=True))

    return {
        "num_requests": front.num_lists,
        "reference": by_task(front.reference),
        "policies": {
            name: {"values": by_task(one.values), "dominated_by": one.dominated_by.tolist()}
            for name, one in front.standings.items()
        },
        "swept": [
            {**policy.model_dump(mode="json"), "values": by_task(values), "on_front": bool(on_front)}
            for policy, values, on_front in zip(front.swept, front.values, front.on_front, strict=True)
        ],
    }


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value
