"""The compose file: of its format, hardened, and whole."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
# What docker compose puts in where a variable is not set.
DEFAULTS = re.compile(r"\$\{\w+:-([^}]*)\}")


@pytest.fixture(scope="module")
def text() -> str:
    return DEFAULTS.sub(r"\1", COMPOSE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def compose(text: str) -> dict[str, Any]:
    return dict(yaml.safe_load(text))


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return dict(compose["services"])


def volumes_of(service: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Source, target, whether it is read only."""
    found = []
    for one in service.get("volumes", []):
        if isinstance(one, str):
            source, target, *mode = one.split(":")
            found.append((source, target, mode == ["ro"]))
        else:
            found.append((one["source"], one["target"], one.get("read_only", False)))
    return found


def test_it_is_a_compose_file(text: str) -> None:
    compose_spec = pytest.importorskip("compose_spec")
    merged = yaml.safe_dump({name: one for name, one in yaml.safe_load(text).items() if not name.startswith("x-")})
    found = compose_spec.PyCompose.from_yaml(merged)
    assert set(found.service_names()) == {"ranking", "redis", "prometheus", "grafana"}
    with pytest.raises(ValueError, match="heathcheck"):
        compose_spec.PyCompose.from_yaml(merged.replace("healthcheck:", "heathcheck:", 1))


def test_no_service_may_do_what_it_need_not(services: dict[str, dict[str, Any]]) -> None:
    for name, one in services.items():
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert one["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}, name
        assert not {"privileged", "cap_add", "pid", "network_mode"} & one.keys(), name
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", [])), name
        assert ("healthcheck" in one) == (name != "ranking"), name  # its image has one
        assert re.search(r":[^:]*\d", one["image"]) or "build" in one, name  # a version, not `latest`


def test_redis_is_reached_from_inside_alone_and_keeps_what_it_is_given(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    assert "ports" not in services["redis"]
    assert services["redis"]["networks"] == ["inside"]
    assert compose["networks"]["inside"]["internal"] is True
    command = services["redis"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    url = services["ranking"]["environment"]["WATCHNEXT_REDIS_URL"]
    assert url == "redis://redis:6379/0"
    assert "inside" in services["ranking"]["networks"]


def test_named_volumes_are_declared_and_mounted_files_are_there(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    named, files = set(), set()
    for service in services.values():
        for source, _, read_only in volumes_of(service):
            if source.startswith("."):
                assert read_only, source
                files.add(source)
            else:
                named.add(source)
    assert named == compose["volumes"].keys()
    # Those of the machine, which an operator makes.
    missing = {one for one in files - {"../registry", "../keys"} if not (DEPLOY / one).exists()}
    assert missing == set()


def test_keys_are_mounted_as_a_folder_so_that_a_rotation_is_seen(services: dict[str, dict[str, Any]]) -> None:
    path = Path(services["ranking"]["environment"]["WATCHNEXT_API_KEYS"])
    assert str(path.parent) in [target for _, target, _ in volumes_of(services["ranking"])]


def test_grafana_finds_its_dashboard_and_prometheus(services: dict[str, dict[str, Any]]) -> None:
    mounts = {target: source for source, target, _ in volumes_of(services["grafana"])}
    provisioning = DEPLOY / mounts["/etc/grafana/provisioning"]
    [provider] = yaml.safe_load((provisioning / "dashboards" / "watchnext.yaml").read_text())["providers"]
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home in mounts
    assert Path(home).parent == Path(provider["options"]["path"])
    [source] = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert source["uid"] == "prometheus"


def test_prometheus_reads_its_config_and_asks_the_service(services: dict[str, dict[str, Any]]) -> None:
    mounts = {target: source for source, target, _ in volumes_of(services["prometheus"])}
    [option] = [one for one in services["prometheus"]["command"] if one.startswith("--config.file=")]
    path = Path(option.partition("=")[2])
    config = yaml.safe_load((DEPLOY / mounts[str(path.parent)] / path.name).read_text())
    targets = [target for job in config["scrape_configs"] for one in job["static_configs"] for target in one["targets"]]
    assert "ranking:8000" in targets
    for pattern in config["rule_files"]:
        assert (DEPLOY / mounts[str(path.parent)] / Path(pattern).name).is_file()
