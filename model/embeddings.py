"""Embeddings: the tables of one dimension lie in one, so that one gather serves many features."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

EMBEDDING_DEVIATION = 0.05


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the table of an array of codes lies: behind the first `start` rows of the fused table `fused`."""

    fused: str
    start: int


class Embeddings(nn.Module):
    """Tables by name, as `{name: (codes, dim)}`, and which of them each array of codes reads.

    Training may lend the rows that a batch touches (`lend`): they are read in place of the tables, and take the
    gradient that a whole table would have to be as large for.
    """

    def __init__(self, sizes: Mapping[str, tuple[int, int]], arrays: Mapping[str, str], fuse: bool = True) -> None:
        """With `fuse` off every table lies by itself."""
        super().__init__()
        self.sizes, self.arrays = dict(sizes), dict(arrays)
        of_table = {name: f"of-{dim}" if fuse else f"of-{at}" for at, (name, (_, dim)) in enumerate(sizes.items())}
        together = {key: [name for name, one in of_table.items() if one == key] for key in of_table.values()}
        self.fused: dict[str, nn.Embedding] = nn.ModuleDict()  # type: ignore[assignment]
        self.slots_of_tables: dict[str, Slot] = {}
        for key, names in together.items():
            *starts, num_rows = accumulate((sizes[name][0] for name in names), initial=0)
            self.slots_of_tables |= {name: Slot(key, start) for name, start in zip(names, starts, strict=True)}
            self.fused[key] = nn.Embedding(num_rows, sizes[names[0]][1])
            nn.init.normal_(self.fused[key].weight, std=EMBEDDING_DEVIATION)
        self.slots = {name: self.slots_of_tables[table] for name, table in self.arrays.items()}
        self.rows: Mapping[str, Tensor] = {}
        self.places: Mapping[str, Tensor] = {}

    def lend(self, rows: Mapping[str, Tensor], places: Mapping[str, Tensor]) -> None:
        """`rows` by fused table, `places` by array: at which of the rows the vectors of its codes are. None: whole
        tables again.
        """
        self.rows, self.places = rows, places

    def dim(self, array: str) -> int:
        return self.sizes[self.arrays[array]][1]

    def table(self, name: str) -> Float[Tensor, "code dim"]:
        slot = self.slots_of_tables[name]
        return self.fused[slot.fused].weight[slot.start : slot.start + self.sizes[name][0]]

    def vectors(self, arrays: Mapping[str, Tensor], name: str) -> Float[Tensor, "*codes dim"]:
        """Of one array of codes, whatever its shape."""
        return self._gathered(self.slots[name].fused, self._codes(arrays, name))

    def side_by_side(self, arrays: Mapping[str, Tensor], names: Sequence[str]) -> Iterator[Float[Tensor, "batch part"]]:
        """The vectors of arrays of one code a row, in this order; neighbours in one fused table by one gather."""
        for key, some in groupby(names, lambda name: self.slots[name].fused):
            codes = [self._codes(arrays, name) for name in some]
            # A single one is not stacked, which the exported graph would do too.
            yield self._gathered(key, codes[0] if len(codes) == 1 else torch.stack(codes, -1)).flatten(1)

    def _codes(self, arrays: Mapping[str, Tensor], name: str) -> Tensor:
        slot = self.slots[name]
        return self.places[name] if slot.fused in self.rows else arrays[name] + slot.start

    def _gathered(self, key: str, codes: Tensor) -> Tensor:
        """`[*codes, dim]`."""
        return functional.embedding(codes, self.rows[key]) if key in self.rows else self.fused[key](codes)

    def apart(self) -> "Embeddings":
        """The same tables, each by itself and none copied: an exported graph takes along those that it reads."""
        with torch.device("meta"):
            found = Embeddings(self.sizes, self.arrays, fuse=False)
        for name in self.sizes:
            weight = nn.Parameter(self.table(name).detach(), requires_grad=False)
            found.fused[found.slots_of_tables[name].fused].weight = weight
        return found
