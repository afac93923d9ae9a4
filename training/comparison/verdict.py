"""The verdict in words: which tasks gain from sharing, which lose, and which to train apart.

What is chosen is chosen on validation: the best architecture, the tasks to set apart. What is said of it is of the test
split, by which nothing was chosen.
"""

from collections.abc import Iterator, Sequence

from training.comparison.arms import SINGLE
from training.comparison.results import Results
from training.evidence.draws import Interval
from training.splits import TEST, VALID


def best_together(results: Results) -> str | None:
    """Of the architectures that share anything between all tasks, the one of most utility on validation."""
    return max(results.together, key=lambda arm: results.utility(arm, results.tasks_of(arm)), default=None)


def set_apart(results: Results, arm: str) -> list[str]:
    """The tasks whose twins are better on validation, by more than chance."""
    return [task for task in results.tasks_of(arm) if results.gain(VALID, arm, results.main(task)).high < 0]


def verdict(results: Results) -> list[str]:
    return [*(_of_arm(results, arm) for arm in results.arms if arm != SINGLE), *_advice(results)]


def _of_arm(results: Results, arm: str) -> str:
    gains = {task: results.gain(TEST, arm, results.main(task)) for task in results.tasks_of(arm)}
    clear = {task: one for task, one in gains.items() if one.low > 0 or one.high < 0}
    parts = [f"{_names([task])} {'gains' if one.value > 0 else 'loses'} {_amount(one)}" for task, one in clear.items()]
    unclear = [task for task in gains if task not in clear]
    if unclear:
        parts.append(f"no difference shown for {_names(unclear)}")
    return f"`{arm}` against single tasks: {'; '.join(parts)}."


def _advice(results: Results) -> Iterator[str]:
    together = best_together(results)
    if together is None:
        yield "None of these architectures shares anything, so nothing is known of what sharing does."
        return
    tasks, apart = results.tasks_of(together), set_apart(results, together)
    if not apart:
        yield f"Train {_names(tasks)} together, with `{together}`: on validation none does clearly better alone."
        alone, shared = results.utility(SINGLE, tasks), results.utility(together, tasks)
        if alone > shared:
            yield f"Alone their utility is higher all the same, {alone:.4f} against {shared:.4f}: more seeds may tell."
        return
    for task in apart:
        confirmed = results.gain(TEST, together, results.main(task)).high < 0
        on_test = "and so it does on test" if confirmed else "which test does not confirm"
        yield f"Train `{task}` apart: on validation it does clearly better alone than in `{together}`, {on_test}."
    if rest := [task for task in tasks if task not in apart]:
        yield _home(results, together, rest, apart)


def _home(results: Results, together: str, rest: list[str], apart: list[str]) -> str:
    """Where the tasks that are not set apart do best: with the others still beside them, without, or alone too."""
    without = [arm for arm in results.arms if results.tasks_of(arm) == rest]
    best = max([together, *without, SINGLE], key=lambda arm: results.utility(arm, rest))
    if best == SINGLE:
        return f"What is left does not gain from sharing either: train {_names(rest)} alone."
    if best == together:
        return f"Serve {_names(rest)} from `{together}` all the same, with {_names(apart)} left in it."
    return f"Train {_names(rest)} in a network of their own: they do better in `{best}` than in `{together}`."


def _names(tasks: Sequence[str]) -> str:
    *first, last = [f"`{task}`" for task in tasks]
    return f"{', '.join(first)} and {last}" if first else last


def _amount(one: Interval) -> str:
    sizes = sorted(abs(bound) for bound in (one.low, one.high))
    return f"{abs(one.value):.4f} (95%: {sizes[0]:.4f} to {sizes[1]:.4f})"
