"""`watchnext features`: what a running service stores beside its bundle."""

from typing import Annotated

import typer
from rich.console import Console

from model.contract.mistakes import mistake
from model.contract.stored_features import Entity

app = typer.Typer(help="Features that a service keeps beside its bundle.", no_args_is_help=True)
console = Console()
LOAD_EXAMPLE = "watchnext features load videos.parquet --videos --store features.sqlite --registry registry"


@app.callback()
def features() -> None:
    """A group, even while it has one command."""


@app.command(epilog=f"Example: [bold]{LOAD_EXAMPLE}[/bold]")
def load(
    table: Annotated[str, typer.Argument(help="Parquet or CSV with a row a user or video.", metavar="TABLE")],
    store: Annotated[
        str,
        typer.Option(
            help="The service's --features-path, or a redis:// URL.",
            envvar="WATCHNEXT_STORE",
        ),
    ],
    is_users: Annotated[bool | None, typer.Option("--users/--videos", help="What a row is of.")] = None,
    registry: Annotated[
        str | None, typer.Option(help="Hold names and types against its live version; a folder or a URL.")
    ] = None,
    key: Annotated[str | None, typer.Option("--id", help="The column of ids, if not user_id or video_id.")] = None,
    feature: Annotated[list[str] | None, typer.Option(help="Load this column; may be repeated. Else all.")] = None,
) -> None:
    """Store a table's features: a row replaces what was stored of its id; an empty cell is a missing value."""
    from training.stored_features import Table, load_table

    if is_users is None:
        raise mistake("--users, --videos", "one of them", "neither")
    asked = Table(table, Entity.USERS if is_users else Entity.VIDEOS, key, tuple(feature or ()))
    num_rows = load_table(asked, store, registry, console)
    console.print(f"{num_rows:,} {asked.entity} stored", highlight=False)
