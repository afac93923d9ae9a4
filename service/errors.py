"""What can go wrong in the service that is nobody's mistake; a user's mistakes are the contract's InputError."""


class NotReady(Exception):
    """No bundle is live yet; `reason` says why, `retry_after_s` when it is worth asking again."""

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(reason)
        self.reason, self.retry_after_s = reason, retry_after_s


class RegistryReadOnly(Exception):
    """The service may read its registry, and not change it."""


class RegistryUnavailable(Exception):
    """The place of the registry does not answer; `retry_after_s` when it is worth asking again."""

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
