"""The table of feature kinds."""

from typing import Annotated

from pydantic import Field

from model.contract.features.categories import Categories
from model.contract.features.category import Category
from model.contract.features.history import History
from model.contract.features.match import Match
from model.contract.features.number import Number
from model.contract.features.vector import Vector

AnyFeature = Annotated[Category | Number | Categories | Vector | History | Match, Field(discriminator="kind")]
