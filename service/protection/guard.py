"""Guard: decides whether one request may pass, before anything of its body is read."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.errors import Forbidden, TooManyRequests
from service.protection.keyring import Keyring
from service.protection.keys import Key
from service.protection.limits import Limits, Rate
from service.protection.scope import WRITING, Scope

FROM_A_PAGE = (
    "Without API keys no web page may write, for any page that is open on this machine could: it sent an `Origin`."
)


@dataclass(frozen=True, slots=True)
class Guard:
    """`closed` has the reason why nobody may, by scope; `rate` holds for keys that have none of their own."""

    keyring: Keyring | None
    limits: Limits
    rate: Rate | None
    open_to_all: frozenset[Scope]
    closed: Mapping[Scope, str]

    async def admit(self, scope: Scope, headers: Mapping[str, str]) -> None:
        """Raises Unauthenticated, Forbidden or TooManyRequests."""
        if scope in self.closed:
            raise Forbidden(self.closed[scope])
        if scope in self.open_to_all or self.keyring is None:
            if scope in WRITING and "origin" in headers:
                raise Forbidden(FROM_A_PAGE)
            return
        key = self.keyring.authenticate(headers.get("authorization"))
        if scope not in key.scopes:
            raise Forbidden(f"Expected a key with the scope `{scope}`, found one with {_listed(key.scopes)}.")
        await self._count(key)

    async def _count(self, key: Key) -> None:
        rate = self.rate
        if key.requests_per_s is not None:
            rate = Rate(key.requests_per_s, key.burst or max(1, round(key.requests_per_s)))
        if rate is not None and (wait_s := await self.limits.take(key.id, rate)):
            raise TooManyRequests(f"The key's limit is {rate.per_s:g} requests a second, {rate.burst} at once.", wait_s)


def _listed(scopes: frozenset[Scope]) -> str:
    return ", ".join(f"`{one}`" for one in sorted(scopes))
