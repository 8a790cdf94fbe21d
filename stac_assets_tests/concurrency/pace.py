"""A process that asks an API several times, as politely as it is told: `python -m … URL TIMES LIMIT`."""

import sys

from stac_assets.settings import Settings
from stac_assets.stac.http.transport import Transport


def main(url: str, times: int, limit: float) -> None:
    """Ask, once somebody says on stdin that all others are there."""
    transport = Transport(Settings(base_url=url, requests_per_second=limit).api)
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(times):
        transport.get(url)
    print(f"{transport.totals.seconds_waited:.3f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
