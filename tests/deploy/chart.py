"""Renders the chart as `helm template` does."""

import json
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "watchnext"
EVERYTHING: dict[str, Any] = {
    "settings": {"workers": 4, "graceful_timeout_s": 12, "max_body_bytes": 1_048_576, "registry_poll_s": 0.5},
    "registry": {"url": "s3://bucket/watchnext", "secret": "bucket"},
    "apiKeys": {"secret": "keys"},
    "redis": {"secret": "redis"},
    "tls": {"secret": "certificate"},
    "imagePullSecrets": ["one", "two"],
    "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "ingress", "annotations": {"a": "b"}},
    "networkPolicy": {"egress": [{"to": [{"podSelector": {}}], "ports": [{"port": 6379}]}]},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "serviceAccount": {"annotations": {"role": "reads-the-bucket"}},
    "podAnnotations": {"c": "d"},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "retraining": {"enabled": True, "config": "name: mine\ndata:\n  x: 1\n", "logsClaim": "logs"},
}
ON_VOLUMES: dict[str, Any] = {
    "autoscaling": {"enabled": False},
    "registry": {"claim": {"existing": "mine"}, "writable": True},
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "serviceAccount": {"create": False},
    "retraining": EVERYTHING["retraining"],
}
CHOICES: dict[str, dict[str, Any]] = {"as it comes": {}, "everything": EVERYTHING, "on volumes": ON_VOLUMES}


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """That of the development extra, or whichever is here."""
    found = shutil.which("helm", path=sysconfig.get_path("scripts")) or shutil.which("helm")
    if found is None:
        if (sys.platform, platform.machine()) == ("linux", "x86_64"):
            pytest.fail("no helm: it comes with the extra `dev`")
        pytest.skip("there is no helm to render the chart with")
    return subprocess.run([found, *arguments], capture_output=True, text=True, timeout=60, check=False)


def template(values: dict[str, Any], folder: Path, release: str = "demo") -> subprocess.CompletedProcess[str]:
    path = folder / "values.json"
    path.write_text(json.dumps(values))
    return helm("template", release, str(CHART), "--values", str(path))


def render(values: dict[str, Any], folder: Path, release: str = "demo") -> list[dict[str, Any]]:
    done = template(values, folder, release)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one is not None]


def of_kind(objects: list[dict[str, Any]], kind: str, name: str | None = None) -> dict[str, Any]:
    [found] = [one for one in objects if one["kind"] == kind and name in (None, one["metadata"]["name"])]
    return found


def pod_templates(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The specifications of all pods."""
    found = [one["spec"]["template"] for one in objects if one["kind"] == "Deployment"]
    jobs = [one["spec"]["jobTemplate"]["spec"]["template"] for one in objects if one["kind"] == "CronJob"]
    return [one["spec"] for one in found + jobs]
