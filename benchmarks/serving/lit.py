"""The same behind LitServe: python -m benchmarks.serving.lit PORT WORKERS."""

import sys
from typing import Any

import litserve

from benchmarks.serving.eager import EagerRanker


class Api(litserve.LitAPI):
    def setup(self, device: str) -> None:  # noqa: ARG002
        self.ranker = EagerRanker.of_environment()

    def decode_request(self, request: dict[str, Any]) -> dict[str, Any]:
        return request

    def predict(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.ranker.rank(request["user"], request["context"], request["candidates"])

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


def main() -> None:
    port, workers = map(int, sys.argv[1:])
    server = litserve.LitServer(Api(api_path="/v1/rank"), accelerator="cpu", workers_per_device=workers)
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)


if __name__ == "__main__":
    main()
