"""docs/service.md has every setting, in a table, with its default."""

import re
from pathlib import Path

from service.settings import Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "service.md"
AS_WORDS = {"registry": "(required)", "registry_cache": "`~/.cache/watchnext`", "port": "8000"}


def written(name: str) -> str:
    """A default as the table spells it."""
    default = Settings.model_fields[name].default
    if name in AS_WORDS:
        return AS_WORDS[name]
    if default is None or default == "":
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    return default if isinstance(default, str) else f"{default:,}".removesuffix(".0")


def test_the_table_of_settings_is_that_of_the_service() -> None:
    table = DOCUMENT.read_text(encoding="utf-8").partition("\n## Settings\n")[2]
    rows = re.findall(r"^\| `--([a-z-]+)` \| ([^|]+) \|", table, re.MULTILINE)
    found = {option.replace("-", "_"): default.strip() for option, default in rows}
    assert found == {name: written(name) for name in Settings.model_fields}


def test_lines_are_of_a_width_that_can_be_read() -> None:
    assert not [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if len(line) > 140]
