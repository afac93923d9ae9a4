"""Logs: a line of JSON is one line, whatever it tells."""

import json
import logging
import subprocess
import sys

from service.telemetry.logs import FACTS, JsonLines


def line(message: str, **more: object) -> str:
    record = logging.makeLogRecord({"name": "here", "msg": message, "levelname": "INFO", **more})
    return JsonLines().format(record)


def test_a_message_is_escaped() -> None:
    told = line('a\nforged "line"\u2028')
    assert "\n" not in told and json.loads(told)["message"] == 'a\nforged "line"\u2028'


def test_facts_are_fields() -> None:
    told = json.loads(line("unused", **{FACTS: {"path": "/a%0ab", "status": 200}}))
    assert (told["message"], told["path"], told["status"], told["level"]) == ("request", "/a%0ab", 200, "info")


def test_a_traceback_is_a_field() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        told = line("failed", exc_info=sys.exc_info())
    assert "\n" not in told and "ValueError: broken" in json.loads(told)["exception"]


def test_only_our_own_lines_of_debugging_are_told() -> None:
    code = (
        "import logging, logging.config; from service.telemetry.logs import log_config\n"
        "logging.config.dictConfig(log_config('debug', 'plain'))\n"
        "[logging.getLogger(name).debug(name) for name in ('service.ours', 'botocore.auth')]\n"
        "[logging.getLogger(name).info(name) for name in ('service.ours', 'botocore.auth')]"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.splitlines()
    ends = ["DEBUG service.ours", "INFO service.ours", "INFO botocore.auth"]
    assert [line.split(maxsplit=2)[2] for line in told] == ends
