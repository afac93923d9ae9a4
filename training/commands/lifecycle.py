"""`watchnext versions|promote|rollback|canary|shadow`: which version of a registry is live, on trial, or back again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from model.contract.durable import told_as_input_errors
from model.contract.mistakes import mistake
from model.contract.registry import open_registry
from model.contract.registry.channels import Channel
from model.contract.registry.operations import Published, Registry

commands = typer.Typer()
RegistryPlace = Annotated[str, typer.Option("--registry", help="A folder, or a URL such as s3://bucket/prefix.")]
VersionName = Annotated[str, typer.Argument(help="As `watchnext versions` lists it.", metavar="VERSION")]
TrialName = Annotated[
    str | None, typer.Argument(help="As `watchnext versions` lists it.", metavar="VERSION", show_default=False)
]
End = Annotated[bool, typer.Option("--end", help="End the trial.")]
MOST_METRICS = 2


def example(command: str) -> str:
    return f"Example: [bold]watchnext {command} --registry registry[/bold]"


@commands.command(epilog=example("versions"))
def versions(registry: RegistryPlace) -> None:
    """List the published versions, the newest first."""
    with _opened(registry) as opened:
        published = opened.published()
        if not published:
            raise mistake(registry, "a registry with versions (`watchnext train` publishes them)", "none")
        Console().print(versions_table(published))


@commands.command(epilog=example("promote 20261121-1a2b3c4d"))
def promote(version: VersionName, registry: RegistryPlace) -> None:
    """Make a version the live one; what was live becomes `previous`."""
    with _opened(registry) as opened:
        opened.promote(version)
        _tell(opened)


@commands.command(epilog=example("rollback"))
def rollback(registry: RegistryPlace) -> None:
    """Make the previous version the live one again; the live one becomes `previous`."""
    with _opened(registry) as opened:
        opened.rollback()
        _tell(opened)


@commands.command(epilog=example("canary 20261121-1a2b3c4d --percent 5"))
def canary(
    registry: RegistryPlace,
    version: TrialName = None,
    percent: Annotated[float | None, typer.Option(help="Of users, from 0 to 100, by a hash of their ids.")] = None,
    end: End = False,
) -> None:
    """Let a version answer some of the users, always the same; the others, and those without id, have the live one."""
    with _opened(registry) as opened:
        if end and version is None and percent is None:
            opened.end_trial(Channel.CANARY)
        elif end or version is None or percent is None:
            raise mistake("canary", "VERSION and --percent, or --end alone", "something else")
        else:
            opened.try_on_users(version, percent)
        _tell(opened)


@commands.command(epilog=example("shadow 20261121-1a2b3c4d"))
def shadow(registry: RegistryPlace, version: TrialName = None, end: End = False) -> None:
    """Let a version rank what the live one answers, for nobody; the services log how much the two differ."""
    with _opened(registry) as opened:
        if end == (version is not None):
            raise mistake("shadow", "either VERSION or --end", "both" if end else "neither")
        if version is None:
            opened.end_trial(Channel.SHADOW)
        else:
            opened.try_in_shadow(version)
        _tell(opened)


def versions_table(published: list[Published]) -> Table:
    """A row a version, with the first metric of its first tasks."""
    table = Table(box=None, pad_edge=False)
    for head in ("version", "created", "channels", "MB", "test metrics"):
        table.add_column(head, justify="right" if head == "MB" else "left", overflow="fold")
    for one in published:
        firsts = [(task, *next(iter(some.items()))) for task, some in one.metrics.items() if some]
        metrics = ", ".join(f"{task} {name} {value:.4f}" for task, name, value in firsts[:MOST_METRICS])
        size, channels = f"{one.num_bytes / 1e6:.1f}", ", ".join(one.channels)
        table.add_row(one.version, one.created[:19] or "unreadable", channels, size, metrics)
    return table


@contextmanager
def _opened(place: str) -> Iterator[Registry]:
    with told_as_input_errors(place):
        yield open_registry(place)


def _tell(registry: Registry) -> None:
    for channel, assigned in registry.assignments().items():
        percent = "" if assigned.percent is None else f" ({assigned.percent:g}% of users)"
        typer.echo(f"{channel}: {assigned.version}{percent}")
