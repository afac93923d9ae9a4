"""Spelling: names and numbers as messages show them."""

from collections.abc import Iterable


def listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in names)


def spelled(number: float) -> str:
    """As people write it: 1,178,000 and 0.0123."""
    return f"{number:,.0f}" if abs(number) >= 1_000 else f"{number:.3g}"
