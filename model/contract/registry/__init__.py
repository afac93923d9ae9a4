"""A registry: published versions, and the channels that say what is done with them."""

from pathlib import Path

from model.contract.registry.bucket import BucketStorage
from model.contract.registry.folder import FolderStorage
from model.contract.registry.operations import Registry


def open_registry(place: Path | str) -> Registry:
    """A folder, or the URL of one on object storage that fsspec knows (`s3://bucket/prefix`). Raises InputError where
    the URL's library is missing.
    """
    return Registry(BucketStorage(str(place)) if "://" in str(place) else FolderStorage(Path(place)))
