"""Ranks one request from a file with a bundle, or a registry's live one: `watchnext rank`, without a server."""

import sys
import uuid
from pathlib import Path

from pydantic import ValidationError

from model.contract.bundle import MANIFEST
from model.contract.durable import told_as_input_errors
from model.contract.mistakes import InputError, Mistake, of_validation
from model.contract.request import RankRequest
from model.contract.versions import live_version, version_folder
from service.http.answers import ranking_json
from service.ranking.pipeline import rank
from service.registry.loading import load_ranker


def answer(bundle: Path, path: Path) -> bytes:
    """The body of the response; raises InputError."""
    with told_as_input_errors(str(path)):
        body = path.read_bytes()
    try:
        request = RankRequest.model_validate_json(body, strict=True)
    except ValidationError as error:
        found = of_validation(error, RankRequest)
        raise InputError(
            *(Mistake(f"{path}: {one.where}", one.expected, one.found, one.nearest) for one in found)
        ) from error
    folder = bundle if (bundle / MANIFEST).is_file() else version_folder(bundle, live_version(bundle))
    ranker = load_ranker(folder, num_threads=1)
    return ranking_json(rank(request, ranker), request.request_id or uuid.uuid4().hex, ranker.bundle.manifest)


def main() -> None:
    bundle, path = map(Path, sys.argv[1:])
    try:
        sys.stdout.write(answer(bundle, path).decode() + "\n")
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
