"""The `watchnext` command: options in, one job done, mistakes told in a line."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from model.contract.durable import told_as_input_errors
from model.contract.mistakes import InputError
from model.contract.registry.operations import KEPT_VERSIONS
from training.commands import features, lifecycle

app = typer.Typer(
    help="Multi-task ranking: train on your logs, publish one bundle, rank over HTTP (watchnext-serve).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(features.app, name="features")
console = Console()
ConfigPath = Annotated[Path, typer.Argument(help="Run config, for instance configs/kuairand.yaml.", metavar="CONFIG")]
RunsPath = Annotated[Path, typer.Option("--runs", help="Folder that keeps data, checkpoints and curves of runs.")]
ReportOption = Annotated[bool, typer.Option("--report/--no-report", help="Write the HTML report, report/index.html.")]
RUNS = Path("runs")


def example(command: str) -> str:
    return f"Example: [bold]{command}[/bold]"


@contextmanager
def told_interruption(what_next: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"interrupted; {what_next}", err=True)
        raise typer.Exit(130) from None


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
    registry: Annotated[
        str | None, typer.Option(help="Publish here (a folder, or s3://bucket/prefix) as the live version.")
    ] = None,
    keep_versions: Annotated[
        int,
        typer.Option(min=1, envvar="WATCHNEXT_KEEP_VERSIONS", help="How many versions stay; those in use always do."),
    ] = KEPT_VERSIONS,
    runs: RunsPath = RUNS,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    report: ReportOption = True,
) -> None:
    """Train, calibrate and evaluate a ranker, and report on it; with --registry publish it."""
    from training import run as running
    from training.config import load_config
    from training.printing import metric_tables

    run = running.Run.of(load_config(config), runs)
    with told_interruption("the same command with --resume goes on"):
        metrics, manifest = running.train(run, registry, resume, console, keep_versions)
    for table in metric_tables(metrics, run.config.tasks):
        console.print(table)
    if manifest is not None:
        console.print(f"published version {manifest.version} in {registry}", highlight=False)
    if report:
        from training.report.writing import write_report

        with told_interruption("`watchnext evaluate` writes the report"):
            write_report(run, manifest.version if manifest else None, console)


@app.command(epilog=example("watchnext evaluate configs/kuairand.yaml"))
def evaluate(config: ConfigPath, runs: RunsPath = RUNS, report: ReportOption = True) -> None:
    """Evaluate a trained run again: prints tables, writes metrics.json and the report."""
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
    if report:
        from training.report.writing import write_report

        write_report(run, None, console)


@app.command(epilog=example("watchnext replay configs/simulated.yaml --policy balanced --top-k 5"))
def replay(
    config: ConfigPath,
    policy: Annotated[list[str] | None, typer.Option(help="A name, or JSON; may be repeated. Else all.")] = None,
    split: Annotated[str, typer.Option(help="Which logged requests: valid or test.")] = "test",
    top_k: Annotated[int, typer.Option("--top-k", min=1, help="How many places of a request count.")] = 10,
    runs: RunsPath = RUNS,
    out: Annotated[Path | None, typer.Option(help="Folder of replay.json and front.png, else in the run's.")] = None,
) -> None:
    """What other policies would have done to logged requests: orders, the Pareto front, off-policy estimates."""
    from training import replay as replaying
    from training.config import load_config
    from training.run import Run
    from training.watching import TerminalWatcher

    run = Run.of(load_config(config), runs)
    folder = out or run.folder / "replay"
    asked = replaying.Asked(replaying.policies_of(run.config, policy or ()), split, top_k)
    with told_as_input_errors(str(folder)):
        with TerminalWatcher(console, run.curves) as watcher:
            replayed = replaying.replay(run, asked, watcher)
        replaying.write(replayed, run.config.tasks, folder)
    for table in replaying.replay_tables(replayed, run.config.tasks):
        console.print(table)
    for note in (replayed.extent, *replayed.notes):
        console.print(note, highlight=False, markup=False)
    console.print(f"replay.json and front.png in {folder}", highlight=False)


@app.command(epilog=example("watchnext compare configs/kuairand.yaml --sharing mmoe --sharing ple --seeds 5"))
def compare(
    config: ConfigPath,
    sharing: Annotated[
        list[str] | None,
        typer.Option(help="A sharing architecture; may be repeated. Else the usual ones.", metavar="KIND"),
    ] = None,
    seeds: Annotated[int, typer.Option(min=2, help="How many times each is trained.")] = 3,
    match_parameters: Annotated[
        bool, typer.Option("--match-parameters", help="Size all to the config's own sharing.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that train at once, a thread each.")] = 1,
    runs: RunsPath = RUNS,
) -> None:
    """Train sharing architectures and single-task twins: which tasks gain from sharing. Resumes a comparison."""
    from training.comparison import compare as comparing
    from training.comparison.tables import costs_table, gains_table
    from training.config import load_config
    from training.run import Run

    comparison = comparing.Comparison(
        Run.of(load_config(config), runs), tuple(sharing or ()), seeds, workers, match_parameters
    )
    with told_interruption("the same command goes on"):
        results, verdict = comparing.compare(comparison, console)
    console.print(gains_table(results), costs_table(results))
    for sentence in verdict:
        console.print(sentence, highlight=False)


@app.command(epilog=example("watchnext tune configs/kuairand.yaml --trials 50"))
def tune(
    config: ConfigPath,
    trials: Annotated[int, typer.Option(min=1, help="How many in all, earlier ones among them.")] = 30,
    timeout: Annotated[float | None, typer.Option(min=0, help="Begin none after so many seconds.")] = None,
    space: Annotated[Path | None, typer.Option(help="YAML: places in the config, and what may stand there.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The best config; else tuning/best.yaml in the run's folder.")
    ] = None,
    runs: RunsPath = RUNS,
) -> None:
    """Search sizes, learning rate, dropout, balancing for the declared utility, on validation. Resumes a search."""
    from training import tuning
    from training.config import load_config
    from training.run import Run

    run = Run.of(load_config(config), runs)
    places = tuning.load_space(space, run.config) if space else tuning.default_space(run.config)
    asked = tuning.Tuning(run, places, trials, timeout, out or run.folder / "tuning" / "best.yaml")
    with told_interruption("the same command goes on"):
        done = tuning.tune(asked, console)
    console.print(tuning.trials_table(done, run.config))
    console.print(f"the best config is in {asked.out}", highlight=False)


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


app.add_typer(lifecycle.commands)


def main() -> None:
    try:
        app()
    except InputError as error:
        typer.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
