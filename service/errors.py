"""What can go wrong in the service that is nobody's mistake; a user's mistakes are the contract's InputError."""


class TryLater(Exception):
    """`retry_after_s` says when it is worth asking again."""

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(reason)
        self.reason, self.retry_after_s = reason, retry_after_s


class NotReady(TryLater):
    """No bundle is live yet; `reason` says why."""


class Overloaded(TryLater):
    """As many requests wait as may."""


class TooManyRequests(TryLater):
    """A key has used up its limit."""


class DeadlinePassed(Exception):
    """The request's time was over before work on it began."""


class Unauthenticated(Exception):
    """No key, or none that is valid."""

    def __init__(self, reason: str, is_given: bool = True) -> None:
        super().__init__(reason)
        self.challenge = 'Bearer realm="watchnext"' + (', error="invalid_token"' if is_given else "")


class Forbidden(Exception):
    """Nobody may, or this key may not."""


class NoSuchModel(Exception):
    """A name or a version that is not the live one."""


class StoreUnavailable(TryLater):
    """The feature store did not answer, or not in time; ranking goes on without it."""


class NowhereToStore(Exception):
    """The service has no place of its own for features."""


class NothingStored(Exception):
    """Of an id that somebody asked for."""


class RegistryReadOnly(Exception):
    """The service may read its registry, and not change it."""


class RegistryUnavailable(TryLater):
    """The place of the registry does not answer."""
