"""A registry on S3, as moto's server speaks it: published, served by two workers, changed, refused."""

import json
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model.contract.bundle import MANIFEST, Manifest, read_manifest
from model.contract.registry import open_registry
from model.contract.registry.bucket import LOCK
from model.contract.registry.operations import Registry
from tests.model.contract.registry import places
from tests.service.server import PATIENCE_S, ROOT, Server, serving, wait_for
from tests.service.small_bundle import VERSION

REQUEST = {"candidates": ["v1", "v2"]}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A bucket of its own, empty."""
    import fsspec

    variables = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    for name, value in (variables | {"AWS_DEFAULT_REGION": "us-east-1"}).items():
        monkeypatch.setenv(name, value)
    bucket = f"bucket-{uuid.uuid4().hex}"
    files: Any = fsspec.filesystem("s3", skip_instance_cache=True)
    files.mkdir(bucket)
    return open_registry(f"s3://{bucket}/ranking/registry")


def publish(bucket: Registry, bundle: Path, version: str) -> None:
    """The same bundle as another version."""

    def build(folder: Path) -> Manifest:
        shutil.copytree(bundle, folder, dirs_exist_ok=True)
        path = folder / MANIFEST
        path.write_text(path.read_text().replace(f'"{VERSION}"', f'"{version}"'))
        return read_manifest(folder)

    bucket.publish(build, keep=5)


def versions(server: Server) -> set[str]:
    """That thirty new connections meet: those of all workers."""
    return {server.rank(REQUEST).json["version"] for _ in range(30)}


def wait_until_all(server: Server, version: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while versions(server) != {version}:
        assert time.monotonic() < deadline


def test_operations_on_s3(bucket: Registry) -> None:
    places.publish(bucket, "v1", "v2")
    bucket.try_on_users("v1", 5)
    places.publish(bucket, "v3", "v4", "v5", keep=3)
    assert bucket.storage.versions() == ["v1", "v3", "v4", "v5"]
    bucket.rollback()
    found = {str(channel): str(one) for channel, one in bucket.assignments().items()}
    assert found == {"live": "v4", "previous": "v5", "canary": "v1 5"}
    assert bucket.storage.read(LOCK) is None


def test_on_s3_too_a_lock_has_one_holder(bucket: Registry) -> None:
    with bucket.storage.locked():
        assert not open_registry(str(bucket)).storage._create(LOCK, b"another")


def test_two_workers_follow_a_bucket(bucket: Registry, registry: Path, tmp_path: Path) -> None:
    bundle, cache = registry / "versions" / VERSION, tmp_path / "cache"
    publish(bucket, bundle, VERSION)
    with serving(str(bucket), "--workers", "2", "--registry-cache", str(cache)) as server:
        assert server.wait_until_ready().json["version"] == VERSION
        publish(bucket, bundle, "v-two")
        wait_until_all(server, "v-two")
        line = [sys.executable, "-m", "training.cli", "rollback", "--registry", str(bucket)]
        subprocess.run(line, cwd=ROOT, check=True, capture_output=True)
        wait_until_all(server, VERSION)
        body = json.dumps({"version": "v-two"}).encode()
        assert server.ask("POST", "/v1/admin/promote", body, {"content-type": "application/json"}).status == 200
        wait_until_all(server, "v-two")
        bucket.storage.write(f"versions/{VERSION}/graphs/rank.onnx", b"?")
        shutil.rmtree(cache)  # or the good copy there would be found to be what the manifest says
        bucket.rollback()
        told = wait_for(lambda: server.ask("GET", "/readyz"), lambda answer: answer.json["refused"] is not None)
        assert "rank.onnx: expected a file of" in told.json["refused"] and versions(server) == {"v-two"}
        assert "Traceback" not in server.log_text
    assert not list(cache.glob("*/versions/.*"))


def test_an_empty_bucket_is_told(bucket: Registry, tmp_path: Path) -> None:
    with serving(str(bucket), "--registry-cache", str(tmp_path)) as server:
        told = server.ask("GET", "/readyz")
        assert told.status == 503 and "expected a registry with a live version" in told.json["detail"]
