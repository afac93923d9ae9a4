"""A server with all that can be asked of one: keys, a place for features, two versions in a registry of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from model.contract.versions import set_live
from service.protection.keys import new_key, write_keys
from service.protection.scope import Scope
from tests.service.server import Server, serving
from tests.service.small_bundle import VERSION, republish


@dataclass(frozen=True)
class Everything:
    """`headers` let in everywhere."""

    server: Server
    registry: Path
    headers: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"


@contextmanager
def serving_everything(registry: Path, folder: Path) -> Iterator[Everything]:
    """Changes a copy of the registry, in `folder`."""
    own = Path(shutil.copytree(registry, folder / "registry"))
    republish(own, "v-two")
    set_live(own, VERSION)
    key, presented = new_key(frozenset(Scope))
    write_keys(folder / "keys.json", (key,))
    options = ("--api-keys", str(folder / "keys.json"), "--features-path", str(folder / "features.sqlite"))
    with serving(own, *options) as server:
        server.wait_until_ready()
        yield Everything(server, own, {"authorization": f"Bearer {presented}"})
