"""Encoded arrays to the first layer, split into what depends on the request, on the candidate, and on both."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.contract.features.interface import REQUEST_SIDES, ArraySpec, Side, Table
from model.contract.schema import FeatureSchema
from model.embeddings import Embeddings
from model.entry import Entry, side_by_side, taken_apart
from model.history import HistoryEncoder, TargetAttention
from model.piecewise import Knots, PiecewiseLinear

Batch = Mapping[str, Tensor]
QUERIES = "queries"


def module_name(name: str) -> str:
    """torch reads a dot as a path, and refuses the names of its own attributes, such as `type` and `values`."""
    return f"of-{name.replace('.', '-')}"


class InputCopies(nn.Module):
    """Inputs, once for all tasks, or a copy for each: the copies' halves and what follows them lie side by side. Each
    goes with an entry of its own.
    """

    def __init__(self, copies: Sequence["Inputs"]) -> None:
        super().__init__()
        self.copies: Sequence[Inputs] = nn.ModuleList(copies)  # type: ignore[assignment]
        self.request_names, self.candidate_names = copies[0].request_names, copies[0].candidate_names
        self.pair_names, self.in_dims = copies[0].pair_names, copies[0].in_dims

    def of_request(self, arrays: Batch, entries: Sequence[Entry]) -> tuple[Float[Tensor, "batch half"], Tensor | None]:
        """The request's half, and the memories of its histories, if there are any."""
        found = [one.of_request(arrays, entry) for one, entry in self._pairs(entries)]
        memories = [memory for _, memory in found if memory is not None]
        return side_by_side([half for half, _ in found], 1), side_by_side(memories, 1) if memories else None

    def candidate_half(self, arrays: Batch, entries: Sequence[Entry]) -> Float[Tensor, "batch half"]:
        return side_by_side([one.candidate_half(arrays, entry) for one, entry in self._pairs(entries)], 1)

    def whole(self, arrays: Batch, entries: Sequence[Entry]) -> Float[Tensor, "batch entry"]:
        return side_by_side([one.whole(arrays, entry) for one, entry in self._pairs(entries)], 1)

    def parts(self, entries: Sequence[Entry]) -> dict[str, tuple[int, ...]]:
        """The shapes of what lies side by side in a half, and in the sum of two."""
        of_each = (one.parts(entry) for one, entry in self._pairs(entries))
        if len(self.copies) == 1:
            return next(of_each)
        return {f"{at}.{name}": shape for at, parts in enumerate(of_each) for name, shape in parts.items()}

    def rectified(self, entries: Sequence[Entry]) -> list[str]:
        """Those of the `parts` that are rectified as soon as they are summed: there is no pair that adds to them."""
        of_each = [one.rectified(entry) for one, entry in self._pairs(entries)]
        return (
            [*of_each[0]] if len(of_each) == 1 else [f"{at}.{one}" for at, names in enumerate(of_each) for one in names]
        )

    def entered(
        self, total: Mapping[str, Tensor], memories: Tensor | None, arrays: Batch, entries: Sequence[Entry]
    ) -> list[dict[str, Tensor]]:
        """By copy. `total` has the `parts` of the sum of a request's half and a candidate's, `[batch, *shape]`."""
        of_parts, num_copies, found = iter(total.values()), len(self.copies), []
        for at, (one, entry) in enumerate(self._pairs(entries)):
            own = dict(zip(one.parts(entry), of_parts, strict=False))
            memory = memories if memories is None or num_copies == 1 else memories.chunk(num_copies, 1)[at]
            found.append(one.entered(own, memory, arrays, entry))
        return found

    def _pairs(self, entries: Sequence[Entry]) -> "zip[tuple[Inputs, Entry]]":
        return zip(self.copies, entries, strict=True)


class Inputs(nn.Module):
    """What the network reads, and an entry to it in parts: W [request, candidate, pair] + b = (W_r request + b) + W_c
    candidate + W_p pair, a request's part once for all its candidates, a video's part once for all requests. The split
    is exact.

    Where histories are attended to, what they answer belongs to the pair. The candidate's half then carries its queries
    behind its part of the entry, where the request's has zeros: all that is done to the two halves is to add them.
    """

    def __init__(self, schema: FeatureSchema, tables: Mapping[str, Table], knots: Knots, embedding_dim: int) -> None:
        super().__init__()
        read = [spec for spec in schema.specs.values() if not spec.hidden and spec.side is not Side.IMPRESSION]
        specs = [spec for spec in read if spec.part_of is None]
        used = {spec.table for spec in read}
        dims = {name: table.dim or embedding_dim for name, table in tables.items() if name in used}
        self.embeddings = Embeddings(
            {name: (tables[name].num_codes, dim) for name, dim in dims.items()},
            {spec.name: spec.table for spec in read if spec.table is not None},
        )
        # Single codes first, those of one dimension together: one gather then has them all.
        specs = sorted(specs, key=lambda spec: (not _is_single(spec), dims.get(spec.table or "", 0)))
        self.request_specs = [spec for spec in specs if spec.side in REQUEST_SIDES]
        self.candidate_specs = [spec for spec in specs if spec.side is Side.CANDIDATE]
        self.pair_specs = [spec for spec in specs if spec.side is Side.PAIR]
        self.schema = schema
        self.piecewise = nn.ModuleDict(
            {module_name(spec.name): PiecewiseLinear(knots[spec.name]) for spec in specs if spec.name in knots}
        )
        self.histories = nn.ModuleDict(
            {
                module_name(name): HistoryEncoder(dims[one.of], len(one.outcomes), embedding_dim, one.smoothing)
                for name, one in schema.histories.items()
            }
        )
        self.attentions = nn.ModuleDict(
            {
                module_name(name): TargetAttention(dims[one.of], len(one.outcomes), one.length, one.attention)
                for name, one in schema.histories.items()
                if one.attention
            }
        )

        def width(some: Sequence[ArraySpec]) -> int:
            plain = sum(dims[spec.table] if spec.table else spec.shape[0] for spec in some)
            pieces = [len(ends) - 1 for spec in some for ends in knots.get(spec.name, ())]
            return plain + sum(pieces)

        history_width = sum(one.out_dim for one in self.histories.values())  # type: ignore[misc]
        self.memory_dims: list[int] = [one.memory_dim for one in self.attentions.values()]  # type: ignore[misc]
        self.query_dims: list[int] = [one.dim for one in self.attentions.values()]  # type: ignore[misc]
        asked, of_candidate = sum(self.query_dims), width(self.candidate_specs)
        # Of the request, of the candidate, of both.
        self.in_dims = (width(self.request_specs) + history_width, of_candidate, width(self.pair_specs) + asked)
        self.queries = nn.Linear(of_candidate, asked, bias=False) if asked else None

    @property
    def pair_names(self) -> list[str]:
        return [spec.name for spec in self.pair_specs]

    @property
    def candidate_names(self) -> list[str]:
        return [spec.name for spec in self.candidate_specs]

    @property
    def request_names(self) -> list[str]:
        histories = [spec.name for one in self.schema.histories.values() for spec in one.specs if spec.part_of]
        return [*(spec.name for spec in self.request_specs), *histories]

    def of_request(self, arrays: Batch, entry: Entry) -> tuple[Float[Tensor, "batch half"], Tensor | None]:
        """The request's half, and the memories of its histories, if they are attended to."""
        values, memories = self._of_requests(arrays)
        part = torch.addmm(entry.bias(), values, entry.rows(self._of_request))
        if not memories:
            return part, None
        return nn.functional.pad(part, (0, sum(self.query_dims))), side_by_side(memories, 1)

    def candidate_half(self, arrays: Batch, entry: Entry) -> Float[Tensor, "batch half"]:
        values = side_by_side(self._columns(self.candidate_specs, arrays), 1)
        part = values @ entry.rows(self._of_candidate)
        return part if self.queries is None else torch.cat([part, self.queries(values)], 1)

    def rectified(self, entry: Entry) -> Sequence[str]:
        """Those of the `parts` that are rectified as soon as they are summed."""
        return [] if self.has_pairs else entry.rectified

    def parts(self, entry: Entry) -> dict[str, tuple[int, ...]]:
        return entry.shapes | ({QUERIES: (sum(self.query_dims),)} if self.query_dims else {})

    def entered(
        self, total: Mapping[str, Tensor], memories: Tensor | None, arrays: Batch, entry: Entry
    ) -> dict[str, Tensor]:
        """`[batch, *shape]` of every part of the entry, rectified: those of `total` are so already where no pair adds
        to them. `memories` have one row for all candidates, or one for each.
        """
        of_entry = {name: total[name] for name in entry.shapes}
        if not self.has_pairs:
            return of_entry
        queries = [] if memories is None else taken_apart(total[QUERIES], self.query_dims)
        of_histories = [] if memories is None else taken_apart(memories, self.memory_dims)
        pair = side_by_side(self._of_pairs(arrays, queries, of_histories), 1)
        return entry.activated({name: entry.added(name, part, pair, self._of_pair) for name, part in of_entry.items()})

    def whole(self, arrays: Batch, entry: Entry) -> Float[Tensor, "batch entry"]:
        """What `entered` makes of both halves, of rows that each have their own request: in one product."""
        request, memories = self._of_requests(arrays)
        candidate = side_by_side(self._columns(self.candidate_specs, arrays), 1)
        queries = [] if self.queries is None else torch.split(self.queries(candidate), self.query_dims, 1)
        return entry(torch.cat([request, candidate, *self._of_pairs(arrays, queries, memories)], 1))

    def _of_requests(self, arrays: Batch) -> tuple[Float[Tensor, "batch dim"], list[Tensor]]:
        """What the entry reads, and the memories of histories."""
        histories = self._histories(arrays)
        known = [self.histories[name](*history) for name, history in histories.items()]
        memories = [attention.memory(*histories[name]) for name, attention in self.attentions.items()]  # type: ignore[operator]
        return side_by_side([*self._columns(self.request_specs, arrays), *known], 1), memories

    def _of_pairs(self, arrays: Batch, queries: Sequence[Tensor], memories: Sequence[Tensor]) -> list[Tensor]:
        asked = zip(self.attentions.values(), queries, memories, strict=True)
        return [
            *self._columns(self.pair_specs, arrays),
            *(attention(query, memory) for attention, query, memory in asked),
        ]

    @property
    def has_pairs(self) -> bool:
        """Whether the sum of a request's half and a candidate's is not yet all that enters."""
        return self.in_dims[-1] > 0

    @property
    def _of_request(self) -> slice:
        return slice(0, self.in_dims[0])

    @property
    def _of_candidate(self) -> slice:
        return slice(self.in_dims[0], self.in_dims[0] + self.in_dims[1])

    @property
    def _of_pair(self) -> slice:
        return slice(self.in_dims[0] + self.in_dims[1], None)

    def _columns(self, specs: Sequence[ArraySpec], arrays: Batch) -> list[Tensor]:
        """In the order of `specs`: single codes, then the rest."""
        single = [spec.name for spec in specs if _is_single(spec)]
        others = [part for spec in specs if not _is_single(spec) for part in self._column(spec, arrays)]
        return [*self.embeddings.side_by_side(arrays, single), *others]

    def _column(self, spec: ArraySpec, arrays: Batch) -> list[Tensor]:
        values = arrays[spec.name]
        if spec.table is not None:
            return [self._pooled(spec.name, arrays)]
        name = module_name(spec.name)
        return [values, self.piecewise[name](values)] if name in self.piecewise else [values]

    def _pooled(self, name: str, arrays: Batch) -> Float[Tensor, "batch dim"]:
        """The mean over the codes that are not padding."""
        vectors = self.embeddings.vectors(arrays, name)
        weight = (arrays[name] > 0).to(vectors.dtype).unsqueeze(2)
        return (vectors * weight).sum(1) / weight.sum(1).clamp(min=1)

    def _histories(self, arrays: Batch) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
        """Embedded videos, outcomes, and which of them are there, by module name."""
        found = {}
        for name, one in self.schema.histories.items():
            codes = arrays[name]
            videos = self.embeddings.vectors(arrays, name)
            found[module_name(name)] = (videos, arrays[one.outcomes_name], codes > 0)
        return found


def _is_single(spec: ArraySpec) -> bool:
    """Whether it is one code a row."""
    return spec.table is not None and not spec.shape
