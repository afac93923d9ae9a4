"""Page: sections to one HTML file that needs nothing beside itself."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from training.evidence.subject import Alarm
from training.report.exhibit import Exhibit

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Shown:
    """A section that has something to show."""

    key: str
    title: str
    exhibit: Exhibit
    alarms: Sequence[Alarm]


@dataclass(frozen=True, slots=True)
class Page:
    """`facts` are figures with what they count; `absent` titles with the reason why there is nothing to show."""

    name: str
    about: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Shown]
    absent: Sequence[tuple[str, str]]
    config: str
    made: str


def _code(text: str) -> Markup:
    """What stands between backticks is set as code."""
    return Markup(re.sub("`([^`]*)`", r"<code>\1</code>", str(escape(text))))


def render(page: Page) -> str:
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["data_uri"] = lambda svg: f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
    environment.filters["code"] = _code
    css = (HERE / "page.css").read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(page=page, css=css)
