"""The chart: rendered by helm, held against the schemas of Kubernetes, hardened, and consistent in itself."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from service.settings import Settings
from tests.deploy.chart import CHART, CHOICES, EVERYTHING, ON_VOLUMES, helm, of_kind, pod_templates, render, template

OLDEST = "1.30"  # Chart.yaml: kubeVersion
NOT_OF_KUBERNETES = {"ServiceMonitor"}


@pytest.fixture(scope="module", params=CHOICES)
def objects(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return render(CHOICES[request.param], tmp_path_factory.mktemp("values"))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return render(EVERYTHING, tmp_path_factory.mktemp("values"))


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_kubernetes_knows_every_field(objects: list[dict[str, Any]], version: str) -> None:
    assert OLDEST in yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
    for one in objects:
        if one["kind"] not in NOT_OF_KUBERNETES:
            kubernetes_validate.validate(one, version, strict=True)


def test_helm_finds_nothing_to_complain_about() -> None:
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout


def test_every_kind_is_there_when_it_is_wanted(everything: list[dict[str, Any]], tmp_path: Path) -> None:
    assert sorted(one["kind"] for one in everything) == [
        *("ConfigMap", "ConfigMap", "CronJob", "Deployment", "HorizontalPodAutoscaler", "Ingress", "NetworkPolicy"),
        *("PodDisruptionBudget", "Service", "ServiceAccount", "ServiceMonitor"),
    ]
    assert "PersistentVolumeClaim" in [one["kind"] for one in render({}, tmp_path)]
    kinds = [one["kind"] for one in render(ON_VOLUMES, tmp_path)]
    assert sorted(kinds) == ["ConfigMap", "ConfigMap", "CronJob", "Deployment", "Service"]


def test_pods_may_do_nothing_that_they_need_not(objects: list[dict[str, Any]]) -> None:
    for pod in pod_templates(objects):
        security = pod["securityContext"]
        assert (security["runAsNonRoot"], security["runAsUser"]) == (True, 10001)
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        # A service named watchnext would otherwise make a variable WATCHNEXT_PORT of its own.
        assert pod["enableServiceLinks"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"].keys() == {"cpu", "memory"}
        assert not [volume for volume in pod["volumes"] if "hostPath" in volume]


def test_every_mount_has_its_volume_and_every_volume_its_mount(objects: list[dict[str, Any]]) -> None:
    for pod in pod_templates(objects):
        mounts = [mount for container in pod["containers"] for mount in container["volumeMounts"]]
        assert {one["name"] for one in mounts} == {one["name"] for one in pod["volumes"]}
        assert {"/tmp"} <= {one["mountPath"] for one in mounts}
        # Of a mounted file the pod would go on seeing the old one when a Secret changes.
        assert not [one for one in mounts if "subPath" in one]


def test_what_selects_pods_finds_those_of_the_service_and_no_other(everything: list[dict[str, Any]]) -> None:
    deployment = of_kind(everything, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selectors = [
        deployment["spec"]["selector"]["matchLabels"],
        of_kind(everything, "Service")["spec"]["selector"],
        of_kind(everything, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        of_kind(everything, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
    ]
    retraining = of_kind(everything, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    for selector in selectors:
        assert selector.items() <= labels.items()
        assert not selector.items() <= retraining.items()
    monitored = of_kind(everything, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert monitored.items() <= of_kind(everything, "Service")["metadata"]["labels"].items()
    target = of_kind(everything, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert target["name"] == deployment["metadata"]["name"]
    # Whom the autoscaler scales must not be set back by an upgrade.
    assert "replicas" not in deployment["spec"]


def test_a_pod_ends_later_than_its_requests_may(everything: list[dict[str, Any]], tmp_path: Path) -> None:
    for objects, graceful_s in ((everything, 12), (render({}, tmp_path), 30)):
        pod = of_kind(objects, "Deployment")["spec"]["template"]["spec"]
        sleep_s = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pod["terminationGracePeriodSeconds"] > sleep_s + graceful_s
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert values["settings"]["graceful_timeout_s"] == Settings.model_fields["graceful_timeout_s"].default


def test_probes_ask_what_the_service_answers(everything: list[dict[str, Any]], tmp_path: Path) -> None:
    for objects, scheme in ((everything, "HTTPS"), (render({}, tmp_path), "HTTP")):
        [container] = of_kind(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
        asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
        assert {name: one["path"] for name, one in asked.items()} == {
            "startup": "/healthz",
            "liveness": "/healthz",
            "readiness": "/readyz",
        }
        assert {(one["port"], one["scheme"]) for one in asked.values()} == {("http", scheme)}
        assert container["ports"] == [{"name": "http", "containerPort": 8000}]


def test_settings_become_variables_as_the_service_spells_them(everything: list[dict[str, Any]]) -> None:
    settings = of_kind(everything, "ConfigMap", "demo-watchnext")["data"]
    given = {name: settings[f"WATCHNEXT_{name.upper()}"] for name in EVERYTHING["settings"]}
    assert given == {
        "workers": "4",
        "graceful_timeout_s": "12",
        "max_body_bytes": "1048576",
        "registry_poll_s": "0.5",
    }
    assert settings["WATCHNEXT_REGISTRY"] == "s3://bucket/watchnext"
    mounts = of_kind(everything, "Deployment")["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    places = {one["mountPath"] for one in mounts}
    files = ("WATCHNEXT_REGISTRY_CACHE", "WATCHNEXT_API_KEYS", "WATCHNEXT_TLS_CERTIFICATE", "WATCHNEXT_TLS_KEY")
    assert all(any(Path(settings[name]).is_relative_to(place) for place in places) for name in files)


def test_other_settings_make_other_pods(everything: list[dict[str, Any]], tmp_path: Path) -> None:
    other = render(EVERYTHING | {"settings": {"graceful_timeout_s": 13}}, tmp_path)
    sums = {
        of_kind(objects, "Deployment")["spec"]["template"]["metadata"]["annotations"]["checksum/settings"]
        for objects in (everything, other)
    }
    assert len(sums) == 2


def test_retraining_publishes_where_the_service_looks(objects: list[dict[str, Any]]) -> None:
    settings = of_kind([one for one in objects if "run.yaml" not in one.get("data", {})], "ConfigMap")["data"]
    for job in (one for one in objects if one["kind"] == "CronJob"):
        pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        [container] = pod["containers"]
        arguments = container["args"]
        assert arguments[:2] == ["train", "/config/run.yaml"]
        assert arguments[arguments.index("--registry") + 1] == settings["WATCHNEXT_REGISTRY"]
        config = of_kind(objects, "ConfigMap", "demo-watchnext-retraining")["data"]["run.yaml"]
        assert yaml.safe_load(config) == {"name": "mine", "data": {"x": 1}}
        assert job["spec"]["concurrencyPolicy"] == "Forbid"
        claims = [one["persistentVolumeClaim"]["claimName"] for one in pod["volumes"] if "persistentVolumeClaim" in one]
        if "://" not in settings["WATCHNEXT_REGISTRY"]:
            mounted = {one["mountPath"]: one.get("readOnly", False) for one in container["volumeMounts"]}
            assert mounted["/registry"] is False
            assert "mine" in claims


def test_the_ingress_lets_through_neither_administration_nor_figures(everything: list[dict[str, Any]]) -> None:
    [rule] = of_kind(everything, "Ingress")["spec"]["rules"]
    paths = [one["path"] for one in rule["http"]["paths"]]
    for inside in ("/v1/admin/versions", "/metrics", "/healthz", "/readyz", "/docs"):
        assert not [path for path in paths if inside.startswith(path)]
    for outside in ("/v1/rank", "/v1/model", "/v1/features/users/u1", "/v2/models/small/infer"):
        assert [path for path in paths if outside.startswith(path)]


def test_a_release_that_is_called_so_is_not_called_so_twice(tmp_path: Path) -> None:
    names = {one["metadata"]["name"] for one in render({}, tmp_path, "watchnext")}
    assert names == {"watchnext", "watchnext-registry"}


def test_the_values_are_those_of_their_schema() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    jsonschema.validate(values, schema)
    # Whatever the schema lets through the values explain.
    assert set(values) == set(schema["properties"]) - {"global"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"replica": 3},
        {"image": {"repository": "watchnext", "tags": "1"}},
        {"settings": {"graceful_timeout_s": "long"}},
        {"settings": {"registry": "/elsewhere"}},
        {"settings": {"Workers": 2}},
        {"registry": {"url": "bucket"}},
        {"resources": {"limits": {"memory": "two"}}},
        {"retraining": {"enabled": True}},
        {"networkPolicy": {"from": []}},
    ],
)
def test_wrong_values_are_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    done = template(wrong, tmp_path)
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr
