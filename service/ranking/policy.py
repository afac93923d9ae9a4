"""Policy: by which rules this request is ranked."""

from dataclasses import dataclass

from model.contract.bundle import Manifest
from model.contract.combination import Policy, check_policy
from model.contract.mistakes import InputError, unknown_name


@dataclass(frozen=True, slots=True)
class ChosenPolicy:
    """`name` is None where the request brings its own rules."""

    name: str | None
    rules: Policy


def choose_policy(asked: str | Policy | None, manifest: Manifest) -> ChosenPolicy:
    """By name, by the rules given, or the bundle's first. Raises InputError."""
    if isinstance(asked, Policy):
        check_policy(asked, manifest.tasks, "policy")
        return ChosenPolicy(None, asked)
    name = next(iter(manifest.policies)) if asked is None else asked
    if name not in manifest.policies:
        raise InputError(unknown_name("policy", "a policy of the live version", name, manifest.policies))
    return ChosenPolicy(name, manifest.policies[name])
