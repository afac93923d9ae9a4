"""Logs: lines on stderr, plain or as JSON, uvicorn's own among them."""

import logging
import os
from datetime import UTC, datetime
from typing import Any

import orjson

FACTS = "facts"  # the attribute of a log record that holds what JSON tells field by field


class JsonLines(logging.Formatter):
    """One JSON object a line. `extra={FACTS: {...}}` of a call are fields of their own, and its message is then only
    the name of what happened. A line break in a value is escaped: nobody can forge a line.
    """

    def format(self, record: logging.LogRecord) -> str:
        facts = getattr(record, FACTS, None)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "worker": os.getpid(),
            "message": "request" if facts else record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line | (facts or {})).decode()


def log_config(level: str, log_format: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`, in this process and in every worker. Only our own lines of debugging are told:
    libraries (botocore) put tokens of the headers that they send into theirs.
    """
    others = "info" if level == "debug" else level
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {"format": "%(asctime)s %(levelname)s %(message)s"},
            "json": {"()": JsonLines},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": log_format}},
        "root": {"level": others.upper(), "handlers": ["stderr"]},
        "loggers": {ours: {"level": level.upper()} for ours in ("service", "model")},
    }
