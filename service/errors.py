"""What can go wrong in the service that is nobody's mistake; a user's mistakes are the contract's InputError."""


class NotReady(Exception):
    """No bundle is live yet; `reason` says why, `retry_after_s` when it is worth asking again."""

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(reason)
        self.reason, self.retry_after_s = reason, retry_after_s


class StoreUnavailable(Exception):
    """The feature store did not answer, or not in time; ranking goes on without it."""

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class NowhereToStore(Exception):
    """The service has no place of its own for features."""


class NothingStored(Exception):
    """Of an id that somebody asked for."""
