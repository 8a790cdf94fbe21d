"""A whole catalog, all its years, of an API that finds and counts as pgstac does, as a process of its own.

`python -m benchmarks.replay.pgstac --collections 140 --items 6000` prints its URL, and ends with its standard
input. It is the API of the tests: what it answers is proved there beside pgstac itself.
"""

import argparse
import json
import sys

from stac_assets_tests.many_years import ManyYears
from stac_assets_tests.pgstac_api import PgstacApi
from stac_assets_tests.stac_api_faults import Reply, Request

ASSETS = 28
"""An item has 7 KB with them, as those of an eoAPI have on average."""
ADMIN = "admin"


class CountingApi(PgstacApi):
    """The API, which tells below `/admin` how many requests came, and counts anew when told to."""

    def answer(self, request: Request) -> Reply:
        """The answer to one request."""
        if request.segments[:1] != (ADMIN,):
            return super().answer(request)
        if request.segments[1:] == ("reset",):
            self.reset()
        count = sum(1 for each in self.requests if each.segments[:1] != (ADMIN,))
        return Reply(200, json.dumps({"requests": count}).encode(), {"Content-Type": "application/json"})


def command(catalog: ManyYears, *, is_counted: bool) -> list[str]:
    """What starts the server of a catalog."""
    sizes = ["--collections", str(catalog.collections), "--items", str(catalog.items)]
    return [sys.executable, "-m", "benchmarks.replay.pgstac", *sizes, *(["--counted"] if is_counted else [])]


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collections", type=int, default=140)
    parser.add_argument("--items", type=int, default=6_000)
    parser.add_argument("--counted", action="store_true", help="tell how many items a question finds")
    arguments = parser.parse_args()
    catalog = ManyYears(arguments.collections, arguments.items, assets=ASSETS)
    counts = "numberMatched" if arguments.counted else None
    with CountingApi(
        collections=catalog.collection_documents(), items=catalog.documents(), number_matched=counts
    ) as api:
        print(api.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
