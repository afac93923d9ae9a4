"""The container image, really built and run: hardened, without torch, ranking as training said it would."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from model.contract.bundle import MANIFEST, Bundle, Manifest, read_bundle, read_manifest, seal
from model.contract.versions import add_version, live_version, version_folder
from tests.image.engines import IMAGE, Engine, find_engine

BUILT_WITHIN_S, READY_WITHIN_S, SWAPPED_WITHIN_S, STOPPED_WITHIN_S = 900, 60, 60, 10
HARDENED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=host", "--tmpfs=/tmp")
ABSENT = ("torch", "onnx", "polars", "yaml", "pip", "training", "tests")
ABSENT_OF_MODEL = ("model.ranker", "model.export", "model.inputs", "model.sharing", "model.towers", "model.calibration")
PROBE = f"""
import importlib, importlib.util, json, os
def writable(folder):
    try:
        os.close(os.open(folder + "/probe", os.O_CREAT | os.O_WRONLY))
    except OSError:
        return False
    return True
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({{
    "ids": [os.getuid(), os.geteuid(), os.getgid()],
    "capabilities": [int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")],
    "no_new_privileges": int(status["NoNewPrivs"]),
    "present": [name for name in {ABSENT + ABSENT_OF_MODEL} if importlib.util.find_spec(name)],
    "ours": sorted(os.path.join(folder, one) for folder in ("/app", "/app/model") for one in os.listdir(folder)),
    "compiled": [folder for folder, _, _ in os.walk("/app") if folder.endswith("__pycache__")],
    "kernels": importlib.import_module("model.contract.kernels").COMPILED is not None,
    "writable": [folder for folder in ("", "/app", "/opt/watchnext", "/registry", "/tmp", "/etc") if writable(folder)],
}}))
"""


@dataclass(frozen=True, slots=True)
class Container:
    engine: Engine
    name: str
    url: str

    def run_inside(self, *command: str) -> tuple[int, str]:
        done = self.engine.call("exec", self.name, *command)
        return done.returncode, done.stdout + done.stderr

    def logs(self) -> str:
        done = self.engine.call("logs", self.name)
        return done.stdout + done.stderr

    def is_running(self) -> bool:
        return self.engine.expect("inspect", "--format={{.State.Running}}", self.name).strip() == "true"

    def wait_for(self, path: str, status: int) -> httpx.Response:
        deadline = time.monotonic() + READY_WITHIN_S
        answer = "no answer"
        while time.monotonic() < deadline and self.is_running():
            try:
                response = httpx.get(self.url + path, timeout=5)
            except httpx.TransportError as error:
                answer = repr(error)
            else:
                if response.status_code == status:
                    return response
                answer = f"{response.status_code}: {response.text}"
            time.sleep(0.2)
        raise AssertionError(f"{path} must answer {status}, got {answer}; the container said:\n{self.logs()}")

    def stop(self) -> tuple[int, float]:
        """Ask it to end, as engines do; its exit code, and how many seconds it took."""
        started = time.monotonic()
        self.engine.expect("kill", "--signal=TERM", self.name)
        code = int(self.engine.expect("wait", self.name, timeout_s=STOPPED_WITHIN_S))
        return code, time.monotonic() - started


@contextmanager
def run_hardened(engine: Engine, registry: Path, *more: str) -> Iterator[Container]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = (f"--env=WATCHNEXT_PORT={port}", "--env=WATCHNEXT_HOST=127.0.0.1", f"--volume={registry}:/registry:ro")
    name = f"watchnext-test-{port}"
    engine.expect("run", "--detach", f"--name={name}", *HARDENED, *engine.run_options, *settings, *more, IMAGE)
    try:
        yield Container(engine, name, f"http://127.0.0.1:{port}")
    finally:
        engine.call("rm", "--force", name)


@pytest.fixture(scope="session")  # as `small_registry`, and before it: what is skipped trains nothing
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine that has just built the image from this repository."""
    if not request.config.getoption("--image"):
        pytest.skip("make image-test builds and runs the container image")
    try:
        found = find_engine()
    except LookupError as error:
        pytest.fail(str(error))
    found.build(tmp_path_factory.mktemp("build"))
    return found


@pytest.fixture(scope="module")
def container(engine: Engine, small_registry: Path) -> Iterator[Container]:
    with run_hardened(engine, small_registry) as running:
        running.wait_for("/readyz", 200)
        yield running


@pytest.fixture(scope="module")
def bundle(small_registry: Path) -> Bundle:
    return read_bundle(version_folder(small_registry, live_version(small_registry)))


@pytest.fixture(scope="module")
def health_check(engine: Engine) -> list[str]:
    [details] = json.loads(engine.expect("image", "inspect", IMAGE))
    found: dict[str, Any] = details["Config"].get("Healthcheck") or details["Healthcheck"]
    how, *command = found["Test"]
    assert how == "CMD"
    return list(command)


def test_it_holds_the_service_and_nothing_else_and_can_change_nothing_of_it(container: Container) -> None:
    code, output = container.run_inside("python", "-c", PROBE)
    assert code == 0, output
    found = json.loads(output)
    assert 0 not in found["ids"]
    assert found["capabilities"] == [0, 0, 0]
    assert found["no_new_privileges"] == 1
    assert found["present"] == []
    assert found["ours"] == ["/app/model", "/app/model/__init__.py", "/app/model/contract", "/app/service"]
    assert found["compiled"] == []
    assert found["kernels"]
    assert found["writable"] == ["/tmp"]  # a tmpfs, for what its workers count together


def test_torch_cannot_be_imported(container: Container) -> None:
    code, output = container.run_inside("python", "-c", "import torch")
    assert code != 0
    assert "No module named 'torch'" in output


def test_it_ranks_as_training_said(container: Container, bundle: Bundle) -> None:
    for golden in bundle.golden:
        body = golden.request.model_dump(mode="json", exclude_none=True)
        answer = httpx.post(container.url + "/v1/rank", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        response = answer.json()
        assert response["version"] == bundle.manifest.version
        ranking = response["ranking"]
        found = {one["id"]: one["predictions"] for one in ranking}
        assert found.keys() == golden.predictions.keys()
        for one, predictions in golden.predictions.items():
            assert found[one] == pytest.approx(predictions, rel=1e-5, abs=1e-5)
        scores = [one["score"] for one in ranking]
        assert scores == sorted(scores, reverse=True)


def test_its_health_check_passes_once_it_is_ready(container: Container, health_check: list[str]) -> None:
    assert container.run_inside(*health_check)[0] == 0


def test_it_reports_to_nobody(container: Container) -> None:
    """Where it cannot store its identifier, ONNX Runtime's telemetry complains; silence means that it is off."""
    assert "telemetry" not in container.logs().lower()


class Asking:
    """A client that asks without a pause; `versions` are those that answered, in turn."""

    def __init__(self, container: Container) -> None:
        self.url, self.stopping = container.url + "/v1/rank", threading.Event()
        self.versions: list[str] = []
        self.failed: list[str] = []

    def run(self) -> None:
        with httpx.Client(timeout=10) as client:
            while not self.stopping.is_set():
                try:
                    answer = client.post(self.url, json={"candidates": ["v1", "v2"]}).raise_for_status().json()
                except httpx.HTTPError as error:
                    self.failed.append(repr(error))
                else:
                    self.versions += [answer["version"]] if self.versions[-1:] != [answer["version"]] else []

    def wait_for(self, version: str) -> None:
        deadline = time.monotonic() + SWAPPED_WITHIN_S
        while self.versions[-1:] != [version]:
            assert time.monotonic() < deadline and not self.failed, (self.versions, self.failed)
            time.sleep(0.05)


@contextmanager
def asking(container: Container) -> Iterator[Asking]:
    client = Asking(container)
    thread = threading.Thread(target=client.run)
    thread.start()
    try:
        yield client
    finally:
        client.stopping.set()
        thread.join()


def watchnext(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "training.cli", *arguments], check=True, capture_output=True)


def test_it_swaps_to_a_new_version_and_back_and_fails_no_request(
    engine: Engine, small_registry: Path, bundle: Bundle, tmp_path: Path
) -> None:
    first, second = bundle.manifest.version, "v-second"
    registry = Path(shutil.copytree(small_registry, tmp_path / "registry"))
    with run_hardened(engine, registry) as container:
        container.wait_for("/readyz", 200)
        with asking(container) as client:
            client.wait_for(first)
            copy_version(registry, first, second)
            watchnext("promote", second, "--registry", str(registry))
            client.wait_for(second)
            watchnext("rollback", "--registry", str(registry))
            client.wait_for(first)
        assert (client.versions, client.failed) == ([first, second, first], [])
        assert "Traceback" not in container.logs()


def copy_version(registry: Path, version: str, name: str) -> None:
    """The same ranker by another name, put in its place at once."""

    def build(folder: Path) -> Manifest:
        shutil.copytree(version_folder(registry, version), folder, dirs_exist_ok=True)
        (folder / MANIFEST).unlink()
        return seal(folder, manifest.model_copy(update={"version": name}))

    manifest = read_manifest(version_folder(registry, version))
    add_version(registry, build)


def test_it_makes_and_asks_for_keys(engine: Engine, small_registry: Path, tmp_path: Path) -> None:
    """Made by the user of the image, in a volume, and read by it: no file of root's is in between."""
    folder = tmp_path / "keys"
    folder.mkdir()
    folder.chmod(0o777)
    file, made = f"--volume={folder}:/keys", ("-m", "service.keys", "add", "--file", "/keys/keys.json")
    hardened = [one for one in HARDENED if one != "--network=host"]
    command = ("--entrypoint=python", file, IMAGE, *made, "--scope", "rank")
    key = engine.expect("run", "--rm", "--network=none", *hardened, *engine.run_options, *command).strip()
    with run_hardened(engine, small_registry, f"{file}:ro", "--env=WATCHNEXT_API_KEYS=/keys/keys.json") as container:
        container.wait_for("/readyz", 200)
        asked = {"candidates": ["v1", "v2"]}
        ranked = [
            httpx.post(container.url + "/v1/rank", json=asked, headers={"Authorization": f"Bearer {one}"}).status_code
            for one in (key, key[:-1], "none")
        ]
        assert ranked == [200, 401, 401], container.logs()
        assert key not in container.logs()


def test_it_stops_when_it_is_told_to(engine: Engine, small_registry: Path) -> None:
    with run_hardened(engine, small_registry) as container:
        container.wait_for("/readyz", 200)
        code, seconds = container.stop()
        assert code == 0, container.logs()
        assert seconds < STOPPED_WITHIN_S
        assert "Traceback" not in container.logs()


def test_without_a_registry_it_lives_and_says_that_it_is_not_ready(
    engine: Engine, tmp_path: Path, health_check: list[str]
) -> None:
    with run_hardened(engine, tmp_path) as container:
        container.wait_for("/healthz", 200)
        assert container.wait_for("/readyz", 503).headers["content-type"] == "application/problem+json"
        assert container.run_inside(*health_check)[0] != 0
        assert container.stop()[0] == 0
