"""The table of feature stores."""

from typing import Annotated, Literal

from pydantic import Discriminator, TypeAdapter

from service.feature_store.embedded import EmbeddedConfig
from service.feature_store.interface import FeatureStore, StoreConfig
from service.feature_store.redis import RedisConfig

AnyFeatureStore = Annotated[EmbeddedConfig | RedisConfig, Discriminator("kind")]
StoreKind = Literal["embedded", "redis"]

_adapter: TypeAdapter[StoreConfig] = TypeAdapter(AnyFeatureStore)


def open_store(settings: object) -> FeatureStore:
    """Each kind reads the settings that are named as its fields. Raises InputError."""
    return _adapter.validate_python(settings, from_attributes=True).build()
