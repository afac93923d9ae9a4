"""The names that the exported graphs agree on. Those with a dot can be no feature's."""

REQUEST, CANDIDATE, RANK = "request", "candidate", "rank"
REQUEST_HALF, CANDIDATE_HALF, BIAS_LOGITS, PREDICTIONS = "request_half", "candidate_half", "bias_logits", "predictions"
OWN_NAMES = frozenset({REQUEST_HALF, CANDIDATE_HALF, BIAS_LOGITS, PREDICTIONS})  # no feature may have one of them
MEMORIES = "history.memories"  # of a request; graphs of a ranker without target attention do not have it
# These begin the names of the parts of the halves' sum, which `rank` reads: as they are, or after a ReLU.
ENTERED, RECTIFIED = "entered.", "rectified."
