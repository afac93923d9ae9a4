"""The wire format of those answers that no client of ours reads; `model.contract.answer` has the others."""

from typing import Literal

from pydantic import BaseModel


class Alive(BaseModel):
    status: Literal["alive"] = "alive"
