"""Runtime: the three graphs of one bundle, opened and checked."""

import logging

from model.contract.bundle import Bundle
from model.contract.execution import GRAPHS, Float32Graph, Floats, Graph, why_not
from model.contract.features.interface import Arrays
from model.contract.graphs import CANDIDATE, CANDIDATE_HALF, PREDICTIONS, RANK, REQUEST
from model.contract.serving import Precision
from model.contract.sums import Sums
from service.runtime.signatures import check_inputs, check_outputs, check_passed_on, check_sums, expected_signatures

logger = logging.getLogger(__name__)


class Runtime:
    """Safe to call from many threads at once. `precision` is that of the rank graph."""

    def __init__(self, bundle: Bundle, num_threads: int) -> None:
        """Raises InputError where a graph is not what the bundle's schema promises. A precision that this machine does
        not have is no reason to serve nothing: float32 predicts the same, only more slowly.
        """
        signatures = expected_signatures(bundle)
        graphs = {name: Float32Graph(bundle.graph(name), num_threads) for name in signatures}
        sums = {one.name for one in graphs[RANK].layout.parts}
        for name, signature in signatures.items():
            inputs = graphs[name].session.get_inputs()
            others = [one for one in inputs if one.name not in sums] if name == RANK else inputs
            check_inputs(str(bundle.graph(name)), others, signature.inputs)
            check_outputs(str(bundle.graph(name)), graphs[name].session.get_outputs(), signature.outputs)
        given, read = graphs[REQUEST].session.get_outputs(), graphs[RANK].session.get_inputs()
        check_passed_on(str(bundle.graph(REQUEST)), given, read)
        check_sums(str(bundle.graph(RANK)), graphs[RANK].layout, bundle.halves.dim)
        self._of_request = [one.name for one in given]
        self._request, self._candidate = graphs[REQUEST], graphs[CANDIDATE]
        self.precision = bundle.manifest.serving.precision
        if reason := why_not(self.precision):
            logger.warning("predicting in float32 instead of %s: %s", self.precision, reason)
            self.precision = Precision.FLOAT32
        self._rank: Graph = GRAPHS[self.precision](bundle.graph(RANK), num_threads)

    def halve_request(self, request: Arrays) -> Arrays:
        """One encoded request, with one row, to its half and all else that `predict` needs of it."""
        return dict(zip(self._of_request, self._request.run(request, *self._of_request), strict=True))

    def halve_candidates(self, candidates: Arrays) -> Floats:
        """`[candidate, dim]` of encoded candidates."""
        [half] = self._candidate.run(candidates, CANDIDATE_HALF)
        return half

    def sums(self, num_candidates: int) -> Sums:
        """For `predict`, to be filled."""
        return self._rank.sums(num_candidates)

    def predict(self, request: Arrays, sums: Sums, pairs: Arrays) -> Floats:
        """`[candidate, task]`, calibrated, in each task's unit and in the order of the manifest's tasks."""
        [predictions] = self._rank.run(request | sums.arrays | pairs, PREDICTIONS)
        return predictions
