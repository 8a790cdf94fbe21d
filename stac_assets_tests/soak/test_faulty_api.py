"""Two hundred partitions from an API that fails a fifth of all requests: exact, and nothing grows."""

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from stac_assets_tests.forked import Forker
from stac_assets_tests.loads import items
from stac_assets_tests.soak.loading import load_batches
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

SEED = 20240101
PARTITIONS, BATCH, PER_DAY = 200, 10, 12
WARM_UP = 5
"""Batches after which a process is as large as it should ever be."""
MORE_BYTES = 16 * 2**20
FAULTS: list[dict[str, Any]] = [
    *({"status": status} for status in (500, 502, 503, 429)),
    {"status": 503, "headers": {"Retry-After": "0"}},
    {"drop": True},
    {"truncate": 20},
]


class Trouble:
    """Which of the faults a request meets, if any: by what it asks for, and how often it did before.

    So it is the same in every run, whichever thread asks first.
    """

    def __init__(self, api: StacApi, share: float) -> None:
        self.met = 0
        self._share = share
        self._asked: Counter[str] = Counter()
        self._request: Request | None = None
        self._fault: int | None = None
        for number, fault in enumerate(FAULTS):
            api.fault(lambda request, number=number: self._fault_of(request) == number, times=None, **fault)

    def _fault_of(self, request: Request) -> int | None:
        if request is not self._request:  # every fault asks, one after another
            key = f"{request.method} {request.target} {json.dumps(request.body, sort_keys=True)}"
            self._asked[key] += 1
            random = Random(f"{SEED} {key} {self._asked[key]}")
            self._request = request
            self._fault = random.randrange(len(FAULTS)) if random.random() < self._share else None
            self.met += self._fault is not None
        return self._fault


def test_two_hundred_partitions_of_a_faulty_api(project: Path, api: StacApi) -> None:
    published = {}
    days = [date(2024, 1, 1) + timedelta(number) for number in range(PARTITIONS)]
    for day in days:
        for number in range(PER_DAY):
            item = make_item(f"{day}-{number}", datetime=f"{day}T{number * 2:02}:00:00Z", number=number)
            published["c1", item["id"]] = item
            api.put(item)
    trouble = Trouble(api, share=0.2)
    batches = [(f"{days[n]}", f"{days[n + BATCH - 1]}") for n in range(0, PARTITIONS, BATCH)]
    with Forker() as forker:
        ended = forker.run(load_batches, url=api.url, batches=batches, page_size=5, max_retries=6)
    assert ended.status == 0, ended.raised

    assert items() == published
    assert ended.returned == len(published)
    assert trouble.met > len(api.requests) / 6, "the API was as faulty as it should be"

    warm, last = ended.said[WARM_UP - 1], ended.said[-1]
    story = "\n".join(map(str, ended.said))
    assert last["handles"] <= warm["handles"], story
    assert last["threads"] <= warm["threads"], story
    assert last["bytes"] <= warm["bytes"] + MORE_BYTES, story
