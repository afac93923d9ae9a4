"""From settings to a Guard; settings that would leave a door open by oversight are refused."""

import ipaddress
import re
import ssl
from collections.abc import Iterator

from model.contract.mistakes import InputError, Mistake, mistake, quote
from service.protection.guard import Guard
from service.protection.keyring import Keyring
from service.protection.limits import Limits, LocalLimits, Rate
from service.protection.scope import WRITING, Scope
from service.protection.shared_limits import SharedLimits
from service.settings import Settings

NEEDS_KEYS = "This needs API keys (--api-keys) where the service listens beyond loopback."
TURNED_OFF = "Administration over HTTP is off (--admin off)."
ORIGIN = re.compile(r"\*|https?://[^/\s@?#]+")


def guard_of(settings: Settings) -> Guard:
    """Raises InputError that says what is unsafe, or that the keys cannot be read."""
    if found := list(_unsafe(settings)):
        raise InputError(*found)
    limits: Limits = LocalLimits(settings.workers)
    if settings.redis_url is not None:
        limits = SharedLimits(settings.redis_url.get_secret_value(), fallback=limits)
    per_s = settings.key_requests_per_s
    return Guard(
        keyring=Keyring(settings.api_keys) if settings.api_keys else None,
        limits=limits,
        rate=None if per_s is None else Rate(per_s, settings.key_burst),
        open_to_all=_open_to_all(settings),
        closed=closed(settings),
    )


def closed(settings: Settings) -> dict[Scope, str]:
    """What nobody may do, with the reason."""
    found = {}
    if not settings.api_keys and not is_loopback(settings.host):
        found = dict.fromkeys(sorted(WRITING), NEEDS_KEYS)
    if settings.admin == "off":
        found[Scope.ADMIN] = TURNED_OFF
    return found


def exposure(settings: Settings) -> Iterator[str]:
    """What an operator should know of settings that are allowed."""
    if is_loopback(settings.host):
        return
    if not settings.api_keys:
        yield "no API keys: everybody may rank; features and administration are off"
    elif not settings.tls_certificate:
        yield "API keys travel unencrypted unless something before this service has TLS"


def is_loopback(host: str) -> bool:
    """A name is taken for one that others reach too, whatever it resolves to now."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _open_to_all(settings: Settings) -> frozenset[Scope]:
    if not settings.api_keys:
        return frozenset(Scope)
    return frozenset({Scope.METRICS} if settings.open_metrics else ())


def _unsafe(settings: Settings) -> Iterator[Mistake]:
    if settings.admin == "on" and not settings.api_keys and not is_loopback(settings.host):
        yield Mistake(
            "admin", "`--api-keys` beside it, or a loopback `--host`", f"`on` at {settings.host} without keys"
        )
    if settings.tls_key and not settings.tls_certificate:
        yield Mistake("tls_key", "`--tls-certificate` beside it", "none: it would have been served without TLS")
    if settings.tls_key_password and not settings.tls_key:
        yield Mistake("tls_key_password", "`--tls-key` beside it", "none")
    for origin in settings.allowed_origins:
        if not ORIGIN.fullmatch(origin):
            yield Mistake("cors_origins", "origins like `https://www.example.com`, or `*`", quote(origin))
    if not settings.api_keys and not settings.open_metrics:
        yield Mistake("open_metrics", "`--api-keys` beside it", "none: nobody could have read them")


def check_tls(settings: Settings) -> None:
    """Raises InputError unless the certificate can be served with."""
    if not settings.tls_certificate:
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Never asked for on the terminal: a service has none.
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, lambda: settings.tls_password or "")
    except OSError as error:  # also what is no certificate, or not of that key: ssl.SSLError
        reason = getattr(error, "reason", None) or error.strerror or "something else"
        raise mistake("tls_certificate", "a readable certificate with its key", str(reason)) from None
