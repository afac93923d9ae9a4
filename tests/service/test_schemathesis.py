"""Schemathesis reads the OpenAPI document and holds a real server to it: every operation, every answer."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig

from service.app import create_app
from service.http.media import MediaType
from service.settings import Settings
from tests.service.everything import Everything, serving_everything
from tests.service.http.streams import COLUMNS, IDS, stream

# What a schema cannot say is refused with 422 (names of features and tasks, versions that there are), so that valid
# bodies may be answered so; what is unreadable (400, 413, 415) may not be said of them.
CONFIG = {
    "checks": {
        "positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "422"]},
        "negative_data_rejection": {"expected-statuses": ["400", "404", "405", "413", "415", "422"]},
    }
}
QUICK = settings(max_examples=5, suppress_health_check=list(HealthCheck))
LONG = settings(QUICK, max_examples=200)
document = schemathesis.openapi.from_dict(
    create_app(Settings(registry="nowhere")).openapi(), config=SchemathesisConfig.from_dict(CONFIG)
)
schemathesis.openapi.media_type(
    MediaType.ARROW, st.sampled_from([stream({"id": IDS}), stream({"id": IDS} | COLUMNS, {})])
)


@pytest.fixture(scope="module")
def everything(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everything]:
    with serving_everything(registry, tmp_path_factory.mktemp("everything")) as everything:
        yield everything
        log = everything.server.log_text
        sys.stdout.write(f"\n{log.count('request_id=')} requests\n")
        assert "Traceback" not in log


@document.parametrize()
@QUICK
def test_every_operation_does_what_the_document_says(case: schemathesis.Case, everything: Everything) -> None:
    case.call_and_validate(everything.url, headers=everything.headers)


@pytest.mark.soak
@document.parametrize()
@LONG
def test_every_operation_does_so_for_long(case: schemathesis.Case, everything: Everything) -> None:
    case.call_and_validate(everything.url, headers=everything.headers)
