"""The `watchnext-keys` command: adds, lists and revokes API keys in a file that services read."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from model.contract.mistakes import InputError, mistake, of_validation, quote
from service.protection.keys import Key, change_keys, new_key, read_keys, without
from service.protection.scope import Scope

SCOPES = [one.value for one in Scope]
EXAMPLE = """Example: watchnext-keys add --file keys.json --scope rank --expires 2027-01-01 --name web
Then:    watchnext-serve --registry registry --api-keys keys.json
         curl localhost:8000/v1/model -H 'Authorization: Bearer wn_...'

Services notice a change of the file within a second. To rotate a key: add one, give it out, revoke the old one."""


class Parser(argparse.ArgumentParser):
    """Whose mistakes are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    try:
        told = list(COMMANDS[given.command](given))
    except InputError as error:
        raise _refusal(*map(str, error.mistakes)) from None
    except ValidationError as error:
        raise _refusal(*(f"--{one}".replace("_", "-") for one in of_validation(error, Key))) from None
    sys.stdout.write("".join(f"{line}\n" for line in told))


def _add(given: argparse.Namespace) -> Iterator[str]:
    if given.burst is not None and given.requests_per_s is None:
        raise mistake("--burst", "`--requests-per-s` beside it", "none: it would have had no effect")
    key, presented = new_key(
        frozenset(given.scope),
        name=given.name,
        expires=given.expires,
        requests_per_s=given.requests_per_s,
        burst=given.burst,
    )
    change_keys(given.file, lambda keys: (*keys, key))
    sys.stderr.write("Only its hash is kept: this is the one time that the key is shown.\n")
    yield str(presented)


def _list(given: argparse.Namespace) -> Iterator[str]:
    for key in read_keys(given.file):
        until = f"until {key.expires:%Y-%m-%dT%H:%M%z}" if key.expires else "for ever"
        limit = f"  {key.requests_per_s:g} requests/s" if key.requests_per_s else ""
        yield f"{key.id}  {','.join(sorted(key.scopes))}  {until}{limit}  {key.name}"


def _revoke(given: argparse.Namespace) -> Iterator[str]:
    read_keys(given.file)  # of a file that is not there nothing is to be changed, nor made beside it
    change_keys(given.file, lambda keys: without(keys, given.id))
    yield f"revoked {given.id}"


COMMANDS = {"add": _add, "list": _list, "revoke": _revoke}


def _parser() -> Parser:
    shape = argparse.RawDescriptionHelpFormatter
    told = "API keys in a file that services read: add, list and revoke them."
    parser = Parser(prog="watchnext-keys", description=told, epilog=EXAMPLE, formatter_class=shape, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="make a key and show it, once")
    listing = commands.add_parser("list", help="ids, scopes and ends")
    revoke = commands.add_parser("revoke", help="take a key out")
    for command in (add, listing, revoke):
        command.add_argument("--file", type=Path, required=True, help="the file of keys")
    add.add_argument(
        "--scope", type=_scope, action="append", required=True, help=f"{', '.join(SCOPES)}; again for more"
    )
    add.add_argument("--name", default="", help="whose it is, for people")
    add.add_argument("--expires", type=_instant, help="a day or an instant, UTC; without it, never")
    add.add_argument("--requests-per-s", type=float, help="its own limit; without it, the service's")
    add.add_argument("--burst", type=int, help="requests at once, within its own limit")
    revoke.add_argument("id", help="as `list` shows it")
    return parser


def _scope(text: str) -> Scope:
    if text not in SCOPES:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(SCOPES)}, found {quote(text)}")
    return Scope(text)


def _instant(text: str) -> datetime:
    expected = f"expected a day or an instant to come, such as 2100-01-01, found {quote(text)}"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(expected) from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if found <= datetime.now(UTC):
        raise argparse.ArgumentTypeError(expected)
    return found


def _refusal(*lines: str) -> SystemExit:
    for line in lines:
        sys.stderr.write(f"watchnext-keys: {line}\n")
    return SystemExit(2)


if __name__ == "__main__":
    main()
