"""`kill -9` at thirty moments of stores: the old rows or the new ones, and a next run that needs no hand."""

import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from time import sleep
from typing import Any

import pytest

from stac_assets_tests.conftest import enter_project, make_project
from stac_assets_tests.forked import Forker
from stac_assets_tests.loads import DATASET, DUCKDB_FILE, items, load_days, query, rows
from stac_assets_tests.soak.loading import load_in_steps
from stac_assets_tests.stac_api import RawItem, StacApi, make_item
from stac_assets_tests.test_lossless import NOON

SEED = 20240101
PROJECTS = 3
KILLS = {"extract": 2, "normalize": 1, "load": 3, "merge": 3, "publish": 1}
"""How many in each project are meant for each step; the moment within it is random."""
CALM = 4
"""Loads of the same day after which its file grows no more."""
TRIES = 5
DAY, NEIGHBOUR = "2024-01-01", "2024-01-02"
BY_DLT = ("_dlt_loads", "_dlt_version", "_dlt_pipeline_state")
"""Tables in which dlt keeps a row of each load, or of each schema."""

Key = tuple[str, str]


@dataclass(frozen=True)
class Version:
    """What the API has, and so what the tables are to hold."""

    items: dict[Key, dict[str, Any]]
    rejected: frozenset[str]

    def of_day(self) -> "Version":
        """Without the neighbour."""
        day = {key: item for key, item in self.items.items() if key != ("c1", "neighbour")}
        return Version(day, self.rejected)


NOTHING = Version({}, frozenset())


class Upstream:
    """The API: a day of which it publishes ever new versions, and a neighbour that never changes."""

    def __init__(self, api: StacApi, random: Random) -> None:
        self._api, self._random = api, random
        self._number = 0

    def publish(self) -> Version:
        """Another version: other items, values and columns, other documents that no table can hold."""
        self._number += 1
        self._api.clear()
        made = [make_item("neighbour", datetime=f"{NEIGHBOUR}T12:00:00Z")]
        for number in range(self._random.randrange(300, 500)):
            text = self._random.randbytes(400).hex()
            only: dict[str, Any] = {f"only_{self._number % 4}": number}
            made.append(make_item(f"i{number}", v=self._number, text=text, **only))
        for item in made:
            self._api.put(item)
        bad = [f'{{"id":"bad{number}","properties":{{"v":NaN,"n":{self._number}}}}}' for number in range(3)]
        for text in bad:
            self._api.put(RawItem(text.encode(), "c1", NOON, NOON, text))
        return Version({("c1", item["id"]): item for item in made}, frozenset(bad))


def stored() -> Version:
    """What the tables hold, if they are there."""
    there = {name for schema, name in tables() if schema == DATASET}
    rejected = [row["document"] for row in rows("rejected_items")] if "rejected_items" in there else []
    assert len({*rejected}) == len(rejected)
    return Version(items() if "search" in there else {}, frozenset(rejected))


def tables() -> list[tuple[str, str]]:
    """The schema and the name of all tables."""
    if not DUCKDB_FILE.exists():
        return []
    found = query("SELECT table_schema AS s, table_name AS t FROM information_schema.tables ORDER BY ALL")
    return [(row["s"], row["t"]) for row in found]


def on_disk(project: Path) -> tuple[Counter[str], list[tuple[str, str]]]:
    """The files, in dlt's own folders too, with one name for all packages of loads; and the tables."""
    paths = set()
    for top in (project, project.parent / "dlt-data"):
        for path in (path for path in top.rglob("*") if path.is_file()):
            package = next((part for part in (path, *path.parents) if part.name[:1].isdigit()), path)
            paths.add(package)
    return Counter("package" if path.name[0].isdigit() else str(path) for path in paths), tables()


def staged_rows() -> int:
    names = [f'"{schema}"."{name}"' for schema, name in tables() if schema != DATASET and name not in BY_DLT]
    return sum(query(f"SELECT count(*) AS n FROM {name}")[0]["n"] for name in names)


@pytest.fixture
def forker() -> Iterator[Forker]:
    with Forker() as server:
        yield server


def durations(forker: Forker, url: str) -> dict[str, float]:
    """Seconds that each step of a load takes; `load` ends where the merge begins."""
    ended = forker.run(load_in_steps, url=url)
    assert ended.status == 0, ended.raised
    assert [said["step"] for said in ended.said] == [*KILLS, "end"]
    return {step["step"]: after["at"] - step["at"] for step, after in pairwise(ended.said)}


def kill(forker: Forker, url: str, step: str, after: float) -> str:
    """Load, and kill so many seconds after the beginning of a step.

    Returns:
        The step in which the kill came; empty if the load had ended by then.
    """
    call = forker.start(load_in_steps, url=url)
    while (said := call.heard()) is not None and said["step"] != step:
        pass
    sleep(after)
    call.kill()
    ended = call.ended()
    assert ended.status in (0, -signal.SIGKILL), ended.raised
    return str(ended.said[-1]["step"]) if ended.status else ""


@pytest.mark.parametrize("seed", range(SEED, SEED + PROJECTS))
def test_ten_kills(
    project: Path, api: StacApi, forker: Forker, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random = Random(seed)
    upstream = Upstream(api, random)
    upstream.publish()
    load_days(api, page_size=1000)
    upstream.publish()
    lasting = durations(forker, api.url)
    plan = [step for step, count in KILLS.items() for _ in range(count)]
    random.shuffle(plan)
    hit: Counter[str] = Counter()
    saw: Counter[str] = Counter()

    fresh = project.parent / "fresh"
    make_project(fresh)
    enter_project(fresh, monkeypatch)
    old, calm, size = NOTHING, on_disk(fresh), 0
    order = [*KILLS, "end"]
    for number, step in enumerate(plan):
        after, where = random.random() * lasting[step], ""
        for _ in range(TRIES):  # one that comes too late is followed by one that comes sooner
            is_first, new = old is NOTHING, upstream.publish()
            came = kill(forker, api.url, step, after)
            told = f"kill {number}, meant for {step}, came in {came or 'no step'}"
            now, then = stored(), new.of_day() if is_first else new
            assert now.items in (old.items, then.items), told
            assert now.rejected in (old.rejected, then.rejected), told
            saw["old" if now.items == old.items else "new"] += 1

            load_days(api, first=DAY, last=NEIGHBOUR, page_size=1000, lock_timeout=5)
            assert stored() == new, told
            if is_first:
                for _ in range(CALM):  # blocks that a replaced day frees are used again, and not given back
                    new = upstream.publish()
                    load_days(api, first=DAY, last=NEIGHBOUR, page_size=1000)
                calm, size = on_disk(fresh), DUCKDB_FILE.stat().st_size
            assert on_disk(fresh) == calm, told
            assert list(Path(".dlt", "runs").iterdir()) == [], told
            assert staged_rows() < 2 * len(new.items), told
            assert DUCKDB_FILE.stat().st_size < 3 * size, told
            old, where, after = new, came or where, after / 2
            if came and order.index(came) <= order.index(step):
                break
        assert where, f"no load could be killed in {step}"
        hit[where] += 1

    assert hit["load"] + hit["merge"] >= 4 and hit["merge"] >= 1 and len(hit) >= 3, hit
    assert min(saw["old"], saw["new"]) >= 1, saw
