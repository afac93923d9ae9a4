"""Writing: the report of a trained run, in a folder that appears whole or not at all."""

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from model.contract.durable import flush_tree, told_as_input_errors, workspace
from model.costs import costs
from training.config import to_yaml
from training.dataset import open_prepared
from training.evidence.subject import Absent, Subject
from training.report.page import Page, Shown, render
from training.report.sections import SECTIONS, Section
from training.report.style import style
from training.run import Run, load_trained
from training.splits import NAMES

FOLDER, PAGE = "report", "index.html"


def write_report(run: Run, version: str | None, console: Console) -> Path:
    """Measure, draw and write what is known of a trained run, and say where, and what in it is alarming; returns the
    path of the page. `version` is the published one, where there is one. Raises InputError where the disk refuses.
    """
    with told_as_input_errors(str(run.folder)):
        page = _measured(run, version, console)
        path = _write(page, run.folder)
    console.print(f"report in {path}", highlight=False, soft_wrap=True)
    for section in page.sections:
        for alarm in section.alarms:
            if alarm.serious:
                console.print(f"  attention: {alarm.text}", highlight=False, markup=False)
    return path


def _measured(run: Run, version: str | None, console: Console) -> Page:
    columns = (TextColumn("report: {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        running = bar.add_task("predictions", total=len(SECTIONS) + 1)
        dataset = open_prepared(run.config.feature_schema, run.encoded)
        subject = Subject.of(run, load_trained(run, dataset), dataset)

        def before(section: Section) -> None:
            bar.update(running, advance=1, description=section.title.lower())

        return _page(subject, version, before)


def _page(subject: Subject, version: str | None, before: Callable[[Section], None]) -> Page:
    shown, absent = [], []
    for section in SECTIONS:
        before(section)
        try:
            evidence = section.measure(subject)
        except Absent as reason:
            absent.append((section.title, str(reason)))
            continue
        with style():
            exhibit = section.draw(evidence)
        shown.append(Shown(section.key, section.title, exhibit, list(evidence.alarms)))
    run = subject.run
    now = dt.datetime.now().astimezone()
    return Page(
        run.config.name,
        _about(subject, version),
        _facts(subject),
        shown,
        absent,
        to_yaml(run.config),
        f"Written {now:%Y-%m-%d %H:%M}. Data {run.preparation.table.fingerprint[:12]}, run {run.identity[:12]}.",
    )


def _about(subject: Subject, version: str | None) -> str:
    config = subject.run.config
    tasks = ", ".join(task.name for task in subject.tasks)
    published = f"Version {version}. " if version else ""
    bias = ", position-bias tower" if config.position_bias else ""
    network = f"{config.sharing.kind} sharing{bias}, {len(config.features)} features"
    return f"{published}{len(subject.tasks)} tasks ({tasks}), {network}."


def _facts(subject: Subject) -> list[tuple[str, str]]:
    splits = subject.dataset.splits
    found = costs(subject.ranker)
    users = len(np.unique(subject.test.split.users))
    return [
        *((f"{splits[name].num_rows:,}", f"{name} impressions") for name in NAMES),
        (f"{users:,}", "test users"),
        (f"{found.parameters:,}", "parameters"),
        (f"{found.candidate_multiplications:,}", "multiplications a candidate"),
    ]


def _write(page: Page, folder: Path) -> Path:
    report = folder / FOLDER
    with workspace(folder, FOLDER) as beside:
        (beside / PAGE).write_text(render(page), encoding="utf-8")
        for section in page.sections:
            for picture in section.exhibit.pictures:
                (beside / f"{picture.name}.png").write_bytes(picture.png)
        flush_tree(beside)
        shutil.rmtree(report, ignore_errors=True)
        beside.rename(report)
    return report / PAGE
