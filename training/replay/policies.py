"""Policies to replay: by their name in the config, or as JSON."""

from collections.abc import Sequence

from pydantic import ValidationError

from model.contract.combination import Policy, check_policy
from model.contract.mistakes import InputError, Mistake, of_validation, unknown_name
from training.config import RunConfig


def policies_of(config: RunConfig, asked: Sequence[str]) -> dict[str, Policy]:
    """Those of the config where none is asked for. Raises InputError for names and weights that there are not."""
    if not asked:
        return dict(config.policies)
    return dict(_policy_of(config, one) for one in asked)


def _policy_of(config: RunConfig, asked: str) -> tuple[str, Policy]:
    if not asked.lstrip().startswith("{"):
        if asked not in config.policies:
            raise InputError(unknown_name("--policy", "a policy of the config, or one as JSON", asked, config.policies))
        return asked, config.policies[asked]
    try:
        policy = Policy.model_validate_json(asked)
    except ValidationError as error:
        wrong = of_validation(error, Policy)
        raise InputError(
            *(Mistake(f"--policy: {one.where}", one.expected, one.found, one.nearest) for one in wrong)
        ) from error
    check_policy(policy, config.tasks, "--policy")
    return spelled_out(policy), policy


def spelled_out(policy: Policy) -> str:
    """`weighted_sum(click 1, like 20)`."""
    return f"{policy.combination}({', '.join(f'{task} {weight:g}' for task, weight in policy.weights.items())})"
