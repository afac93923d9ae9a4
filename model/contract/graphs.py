"""The names that the exported graphs agree on."""

REQUEST, CANDIDATE, RANK = "request", "candidate", "rank"
REQUEST_HALF, CANDIDATE_HALF, BIAS_LOGITS, PREDICTIONS = "request_half", "candidate_half", "bias_logits", "predictions"
OWN_NAMES = frozenset({REQUEST_HALF, CANDIDATE_HALF, BIAS_LOGITS, PREDICTIONS})  # no feature may have one of them
