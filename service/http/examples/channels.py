"""Examples of versions and channels."""

from model.contract.mistakes import InputError, Mistake
from service.errors import RegistryReadOnly, RegistryUnavailable
from service.http.channels import CanaryTrial, Promotion
from service.http.examples.shapes import NEW_VERSION, VERSION, answer, body, problem

PROMOTION = {"version": NEW_VERSION}
CANARY = {"version": NEW_VERSION, "percent": 5.0}
PROMOTION_BODY = body(Promotion.__name__, PROMOTION)
CANARY_BODY = body(CanaryTrial.__name__, CANARY)
ASSIGNED = answer(
    "The channels as they are now",
    {
        "channels": {
            "live": {"version": NEW_VERSION, "percent": None},
            "previous": {"version": VERSION, "percent": None},
        }
    },
)
PUBLISHED = answer(
    "The versions, the newest first",
    {
        "versions": [
            {
                "version": NEW_VERSION,
                "created": "2026-11-28T03:29:18+00:00",
                "num_bytes": 52_428_800,
                "channels": ["live"],
                "metrics": {"click": {"auc": 0.75}},
            }
        ]
    },
)
_NO_VERSION = Mistake("version", f"a version of registry (`{NEW_VERSION}`)", "`20261128`", nearest=NEW_VERSION)
UNKNOWN_VERSION = problem(InputError, str(_NO_VERSION), [_NO_VERSION])
READ_ONLY = problem(RegistryReadOnly, "registry: Read-only file system. Change it with the command `watchnext`.")
UNAVAILABLE = problem(RegistryUnavailable, "s3://bucket/prefix: the connection timed out")
