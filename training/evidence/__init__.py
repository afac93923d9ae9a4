"""Evidence: what can be known of a trained ranker, one exhibit a file; `training.report` draws it."""
