"""The container engine at hand: Docker, or podman and buildah where no Docker engine runs."""

import ast
import configparser
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMAGE = "localhost/watchnext:test"
BASE_IMAGE = "localhost/base:2"
DAEMONLESS = ("podman", "buildah", "runc", "debootstrap")
# Where packages come from. What else pip is told on this machine is none of the image's business.
PIP_SOURCES = ("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "proxy", "cert", "timeout")
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Engine:
    """`build(folder)` builds IMAGE from the repository; `folder` is its own, to work in."""

    client: tuple[str, ...]
    run_options: tuple[str, ...]
    build: Callable[[Path], None]

    def call(self, *arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """What the client answers; stdout and stderr apart, because it may warn of its machine."""
        return subprocess.run(
            [*self.client, *arguments], capture_output=True, text=True, timeout=timeout_s, check=False
        )

    def expect(self, *arguments: str, timeout_s: float = 60) -> str:
        done = self.call(*arguments, timeout_s=timeout_s)
        assert done.returncode == 0, (
            f"{' '.join([*self.client, *arguments])}: {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done.stdout


def find_engine() -> Engine:
    if shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        return Engine(("docker",), (), _build_with_docker)
    missing = [name for name in DAEMONLESS if shutil.which(name) is None]
    if missing:
        raise LookupError(
            f"no Docker engine runs here, and {', '.join(missing)} must be installed to do without: "
            f"apt-get install --no-install-recommends {' '.join(DAEMONLESS)}"
        )
    # runc, because crun refuses mixed cgroups; the limits, because the defaults exceed those of a machine in a machine;
    # no timer for the health check, because systemd may not run: the test asks for itself.
    options = (
        "--ulimit=nofile=10000:10000",
        "--ulimit=nproc=10000:10000",
        "--read-only-tmpfs=false",
        "--no-healthcheck",
    )
    return Engine(("podman", "--runtime=runc"), options, _build_without_daemon)


def _build_with_docker(folder: Path) -> None:
    del folder
    subprocess.run(["docker", "build", f"--tag={IMAGE}", str(ROOT)], check=True)


def _build_without_daemon(folder: Path) -> None:
    if subprocess.run(["podman", "image", "exists", BASE_IMAGE], check=False).returncode != 0:
        _make_base(folder)
    volumes = [f"--volume={source}:{target}:ro" for source, target in _pip_mounts(folder)]
    # The Docker format, because the other has no health check.
    command = [
        "buildah",
        "bud",
        "--format=docker",
        "--isolation=chroot",
        "--layers",
        f"--build-arg=BASE_IMAGE={BASE_IMAGE}",
    ]
    subprocess.run([*command, *volumes, f"--tag={IMAGE}", str(ROOT)], check=True)


def _make_base(folder: Path) -> None:
    """A Debian with Python in place of the public Python image, which may be out of reach."""
    root, archive = folder / "root", folder / "root.tar"
    packages = "python3,python3-venv,python3-dev,gcc,libc6-dev,ca-certificates"  # with a compiler, for no apt may run
    subprocess.run(["debootstrap", "--variant=minbase", f"--include={packages}", "bookworm", str(root)], check=True)
    subprocess.run(["tar", f"--directory={root}", "--create", f"--file={archive}", "."], check=True)
    shutil.rmtree(root)
    subprocess.run(["podman", "import", str(archive), BASE_IMAGE], check=True)
    archive.unlink()


def _pip_mounts(folder: Path) -> list[tuple[Path, Path]]:
    """(here, in the build) of a configuration with this machine's sources of packages, and of all that it points to."""
    sources = _pip_sources()
    configuration = configparser.RawConfigParser()
    configuration.read_dict({"global": sources})
    written = folder / "pip.conf"
    with written.open("w", encoding="utf-8") as file:
        configuration.write(file)
    named = [(name, Path(one.removeprefix("file://"))) for name, value in sources.items() for one in value.split()]
    # An index in a folder links to files beside it.
    found = [path.parent if name.endswith("index-url") else path for name, path in named if path.is_absolute()]
    return [
        (written, Path("/etc/pip.conf")),
        *((path.resolve(), path) for path in dict.fromkeys(found) if path.exists()),
    ]


def _pip_sources() -> dict[str, str]:
    """pip's settings, which it lists as `section.name='value'`, those of the environment first."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    sources: dict[str, str] = {}
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name in PIP_SOURCES:
            sources.setdefault(name, " ".join(str(ast.literal_eval(value)).split()))
    for variable in CA_VARIABLES:
        if variable in os.environ:
            sources.setdefault("cert", os.environ[variable])
    return sources
