"""What the service tells its operator: plain lines on stderr."""

from typing import Any


def log_config(level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`, in this process and in every worker."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
        "root": {"level": level.upper(), "handlers": ["stderr"]},
    }
