"""The `watchnext` command: options in, one job done, mistakes told in a line."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from model.contract.durable import told_as_input_errors
from model.contract.mistakes import InputError

app = typer.Typer(
    help="Multi-task ranking: train on your logs, publish one bundle, rank over HTTP (watchnext-serve).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
console = Console()
ConfigPath = Annotated[Path, typer.Argument(help="Run config, for instance configs/kuairand.yaml.", metavar="CONFIG")]
RunsPath = Annotated[Path, typer.Option("--runs", help="Folder that keeps data, checkpoints and curves of runs.")]
RUNS = Path("runs")


def example(command: str) -> str:
    return f"Example: [bold]{command}[/bold]"


@app.command(epilog=example("watchnext init logs/*.parquet --users users.parquet > configs/mine.yaml"))
def init(
    data: Annotated[str, typer.Argument(help="Impressions: a Parquet or CSV file, folder or glob.", metavar="DATA")],
    users: Annotated[str | None, typer.Option(help="Table with one row a user.")] = None,
    videos: Annotated[str | None, typer.Option(help="Table with one row a video.")] = None,
    name: Annotated[str, typer.Option(help="Name of the run.")] = "mine",
) -> None:
    """Draft a config from a table; prints it."""
    from training.drafting import draft_config

    typer.echo(draft_config(data, users, videos, name))


@app.command(epilog=example("watchnext check configs/kuairand.yaml"))
def check(config: ConfigPath) -> None:
    """Hold a config against its data: missing columns, rates, leakage suspects. Exit code 1 where it finds errors."""
    from training.checking import check as find
    from training.checking import render
    from training.config import load_config

    findings = find(load_config(config))
    console.print(render(findings))
    if any(one.level == "error" for one in findings):
        raise typer.Exit(1)


@app.command(epilog=example("watchnext train configs/kuairand.yaml --registry registry"))
def train(
    config: ConfigPath,
    registry: Annotated[Path | None, typer.Option(help="Publish here, and make the new version the live one.")] = None,
    runs: RunsPath = RUNS,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
) -> None:
    """Train, calibrate and evaluate a ranker; with --registry publish it."""
    from training import run as running
    from training.config import load_config
    from training.printing import metric_tables

    loaded = load_config(config)
    try:
        metrics, manifest = running.train(running.Run.of(loaded, runs), registry, resume, console)
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command with --resume goes on", err=True)
        raise typer.Exit(130) from None
    for table in metric_tables(metrics, loaded.tasks):
        console.print(table)
    if manifest is not None:
        console.print(f"published version {manifest.version} in {registry}", highlight=False)


@app.command(epilog=example("watchnext evaluate configs/kuairand.yaml"))
def evaluate(config: ConfigPath, runs: RunsPath = RUNS) -> None:
    """Evaluate a trained run again: prints tables, writes metrics.json."""
    from training import run as running
    from training.config import load_config
    from training.printing import metric_tables
    from training.watching import TerminalWatcher

    run = running.Run.of(load_config(config), runs)
    with told_as_input_errors(str(run.folder)):
        with TerminalWatcher(console, run.curves) as watcher:
            dataset = run.dataset(watcher)
        metrics = running.evaluate(run, running.load_trained(run, dataset), dataset)
    for table in metric_tables(metrics, run.config.tasks):
        console.print(table)


@app.command(epilog=example("watchnext simulate --impressions 200000 --out logs"))
def simulate(
    out: Annotated[Path, typer.Option(help="Folder for impressions/, users.parquet, videos.parquet and truth/.")],
    impressions: Annotated[int, typer.Option(min=1, help="How many impressions.")] = 200_000,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Write simulated logs with known truth (kept apart, in truth/)."""
    from rich.progress import Progress

    from training.simulation.logs import write_simulation
    from training.simulation.world import SimulationConfig

    with told_as_input_errors(str(out)), Progress(console=console) as bar:
        running = bar.add_task("simulating", total=impressions)
        settings = SimulationConfig(num_impressions=impressions, seed=seed)
        write_simulation(settings, out, lambda written: bar.update(running, advance=written))
    console.print(f"{impressions:,} impressions in {out}", highlight=False)


@app.command(epilog=example("watchnext rank registry request.json"))
def rank(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or a registry, whose live one ranks.", metavar="BUNDLE")],
    request: Annotated[Path, typer.Argument(help="The body of a POST /v1/rank.", metavar="REQUEST.json")],
) -> None:
    """Rank one request from a file, without a server; prints the response."""
    # The service is another program: the offline line never imports the online one.
    done = subprocess.run([sys.executable, "-m", "service.once", str(bundle), str(request)], check=False)
    raise typer.Exit(done.returncode)


@app.command(epilog=example("watchnext demo --out demo"))
def demo(
    out: Annotated[Path, typer.Option(help="Folder for all that the demo makes.")] = Path("demo"),
    impressions: Annotated[int, typer.Option(min=10_000, help="How many impressions to simulate.")] = 200_000,
) -> None:
    """The whole path at once: simulate, train, evaluate, publish, serve, rank."""
    from training.demo import run_demo

    with told_as_input_errors(str(out)):
        run_demo(out, impressions, console)


def main() -> None:
    try:
        app()
    except InputError as error:
        typer.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
