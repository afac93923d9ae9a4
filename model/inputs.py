"""Encoded arrays to the shared hidden layer, split into what depends on the request, on the candidate, and on both."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.contract.features.interface import REQUEST_SIDES, ArraySpec, Side, Table
from model.contract.schema import FeatureSchema
from model.history import HistoryEncoder

Batch = Mapping[str, Tensor]
EMBEDDING_DEVIATION = 0.05


def module_name(name: str) -> str:
    """torch reads a dot as a path, and refuses the names of its own attributes, such as `type` and `values`."""
    return f"of-{name.replace('.', '-')}"


class InputCopies(nn.Module):
    """Inputs, once for all tasks, or a copy for each: the copies' halves and hidden layers lie side by side."""

    def __init__(self, copies: Sequence["Inputs"]) -> None:
        super().__init__()
        self.copies: Sequence[Inputs] = nn.ModuleList(copies)  # type: ignore[assignment]
        self.request_names, self.candidate_names = copies[0].request_names, copies[0].candidate_names
        self.pair_names = copies[0].pair_names

    def request_half(self, arrays: Batch) -> Float[Tensor, "batch dim"]:
        return torch.cat([one.request_half(arrays) for one in self.copies], 1)

    def candidate_half(self, arrays: Batch) -> Float[Tensor, "batch dim"]:
        return torch.cat([one.candidate_half(arrays) for one in self.copies], 1)

    def hidden(
        self, request_half: Float[Tensor, "request half"], candidate_half: Float[Tensor, "batch half"], arrays: Batch
    ) -> Float[Tensor, "batch dim"]:
        requests, candidates = (half.chunk(len(self.copies), 1) for half in (request_half, candidate_half))
        parts = zip(self.copies, requests, candidates, strict=True)
        return torch.cat([one.hidden(request, candidate, arrays) for one, request, candidate in parts], 1)


class Inputs(nn.Module):
    """hidden = relu(W_r request + W_c candidate + W_p pair + b), a linear layer of the concatenation, in parts: a
    request's part once for all its candidates, a video's part once for all requests. The split is exact.
    """

    def __init__(
        self, schema: FeatureSchema, tables: Mapping[str, Table], embedding_dim: int, hidden_units: int
    ) -> None:
        super().__init__()
        read = [spec for spec in schema.specs.values() if not spec.hidden and spec.side is not Side.IMPRESSION]
        specs = [spec for spec in read if spec.part_of is None]
        self.request_specs = [spec for spec in specs if spec.side in REQUEST_SIDES]
        self.candidate_specs = [spec for spec in specs if spec.side is Side.CANDIDATE]
        self.pair_specs = [spec for spec in specs if spec.side is Side.PAIR]
        self.schema = schema
        used = {spec.table for spec in read}
        dims = {name: table.dim or embedding_dim for name, table in tables.items() if name in used}
        self.embeddings = nn.ModuleDict(
            {module_name(name): nn.Embedding(tables[name].num_codes, dim) for name, dim in dims.items()}
        )
        for embedding in self.embeddings.values():
            nn.init.normal_(embedding.weight, std=EMBEDDING_DEVIATION)  # type: ignore[arg-type]
        self.histories = nn.ModuleDict(
            {
                module_name(name): HistoryEncoder(dims[one.of], len(one.outcomes), embedding_dim)
                for name, one in schema.histories.items()
            }
        )

        def width(some: Sequence[ArraySpec]) -> int:
            return sum(dims[spec.table] if spec.table else spec.shape[0] for spec in some)

        history_width = sum(one.out_dim for one in self.histories.values())  # type: ignore[misc]
        self.request = nn.Linear(width(self.request_specs) + history_width, hidden_units)
        self.candidate = nn.Linear(width(self.candidate_specs), hidden_units, bias=False)
        self.pair = nn.Linear(width(self.pair_specs), hidden_units, bias=False) if self.pair_specs else None

    @property
    def pair_names(self) -> list[str]:
        return [spec.name for spec in self.pair_specs]

    @property
    def candidate_names(self) -> list[str]:
        return [spec.name for spec in self.candidate_specs]

    @property
    def request_names(self) -> list[str]:
        histories = [spec.name for one in self.schema.histories.values() for spec in one.specs]
        return [*(spec.name for spec in self.request_specs), *histories]

    def request_half(self, arrays: Batch) -> Float[Tensor, "batch dim"]:
        return self.request(torch.cat([*self._columns(self.request_specs, arrays), *self._histories(arrays)], 1))

    def candidate_half(self, arrays: Batch) -> Float[Tensor, "batch dim"]:
        return self.candidate(torch.cat(self._columns(self.candidate_specs, arrays), 1))

    def hidden(
        self, request_half: Float[Tensor, "request dim"], candidate_half: Float[Tensor, "batch dim"], arrays: Batch
    ) -> Float[Tensor, "batch dim"]:
        """`request_half` has one row for all candidates, or one for each."""
        total = request_half + candidate_half
        if self.pair is not None:
            total = total + self.pair(torch.cat(self._columns(self.pair_specs, arrays), 1))
        return torch.relu(total)

    def _columns(self, specs: Sequence[ArraySpec], arrays: Batch) -> list[Tensor]:
        return [
            arrays[spec.name] if spec.table is None else self._embedded(spec.table, arrays[spec.name]) for spec in specs
        ]

    def _embedded(self, table: str, codes: Tensor) -> Float[Tensor, "batch dim"]:
        """One code a row, or the mean over the codes that are not padding."""
        vectors = self.embeddings[module_name(table)](codes)
        if codes.dim() == 1:
            return vectors
        weight = (codes > 0).to(vectors.dtype).unsqueeze(2)
        return (vectors * weight).sum(1) / weight.sum(1).clamp(min=1)

    def _histories(self, arrays: Batch) -> list[Tensor]:
        encoded = []
        for name, one in self.schema.histories.items():
            codes = arrays[name]
            videos = self.embeddings[module_name(one.of)](codes)
            encoded.append(self.histories[module_name(name)](videos, arrays[one.outcomes_name], codes > 0))
        return encoded
