"""What `stac-assets load` shows while it loads: on a terminal as its user sees it, and in a log."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from stac_assets_tests.asking import interval_of
from stac_assets_tests.commanding import MODULE, SETTING, Run, day_items, environment, fill
from stac_assets_tests.stac_api import StacApi, make_collection, make_item
from stac_assets_tests.stac_api_faults import Request
from stac_assets_tests.terminal import Terminal, in_terminal

EACH = ("--resource", "collection_items")
"""Of these an API is asked for one collection at a time."""
ALL = ("load", "--collection", "*", "--start", "2024-01-01", "--end", "2024-01-03")
ODD_NAMES = ["[bold]brackets[/]", "地球観測データ", "x" * 200]
SLOWLY = {
    SETTING + "PAGE_SIZE": "2",
    SETTING + "LARGEST_WHOLE_COLLECTION": "0",
    SETTING + "MAX_CONCURRENT_REQUESTS": "1",
    SETTING + "MAX_RETRIES": "0",
}


@contextmanager
def holding(api: StacApi, is_held: Callable[[Request], bool]) -> Iterator[threading.Event]:
    """The API does not answer searches of some kind until the event is set."""
    released = threading.Event()

    def hold(page: Any, request: Request) -> Any:
        assert not is_held(request) or released.wait(60)
        return page

    api.on_page = hold
    try:
        yield released
    finally:
        released.set()


@contextmanager
def loading(
    folder: Path, api: StacApi, *command: str, columns: int = 80, lines: int = 24, **others: str
) -> Iterator[Terminal]:
    """A load in a terminal, by small pages and one after the other."""
    words = [*MODULE, *(command or ALL)]
    settings = environment(api, **{**SLOWLY, **others})
    with in_terminal(folder, settings, *words, columns=columns, lines=lines) as terminal:
        yield terminal


def odd(api: StacApi) -> None:
    """Collections of odd names, three items a day in each, and one without any; a day of the first fails."""
    for name in ODD_NAMES:
        for day in (1, 2, 3):
            for n in range(3):
                api.put(make_item(f"i{day}-{n}", name, f"2024-01-{day:02}T12:00:00Z"))
    api.collections.append(make_collection("empty"))
    api.fault(lambda request: asks(request, "[bold]", "2024-01-01"), times=None, status=500)


def asks(request: Request, collection: str, day: str) -> bool:
    """Whether the items of a collection whose name begins so are asked for, of the time that begins so."""
    path = unquote(request.path)
    return f"/collections/{collection}" in path and "/items" in path and interval_of(request).startswith(day)


def is_last(request: Request) -> bool:
    """Whether the last day of the last of the odd collections is asked for, which are taken by name."""
    return asks(request, "地球", "2024-01-03")


def test_a_terminal_shows_how_far_each_collection_is(project: Path, api: StacApi) -> None:
    odd(api)
    with holding(api, is_last) as released, loading(project, api, *ALL, *EACH) as terminal:
        shown = terminal.until(lambda text: re.search(r"^地球\S+ .* 2/3 [^$]*^total .*[nd:]\S+$", text, re.M))
        lines = shown.splitlines()
        (head,) = (line for line in lines if "fetching collection_items" in line)
        table = lines[lines.index(head) + 1 :]
        assert re.match(r"collection +partitions +failed +items +time left$", table[0])
        assert re.match(r"\[bold\]brackets\[/\] .* 2/3 +1 +6/6 +done$", table[1])
        assert re.match(r"地球観測データ .* 2/3 +6/6\+? +(not known|\d:\d\d:\d\d)$", table[2])
        assert re.match(r"x{20,}… .* 3/3 +9/9 +done$", table[3])
        assert re.match(r"empty .* 3/3 +0/0 +done$", table[4])
        assert re.match(r"total .* 10/12 +1 +21/21\+? +(not known|\d:\d\d:\d\d)$", table[5])
        assert len(table) == 6 and not terminal.screen.has_cursor
        released.set()
        assert terminal.end() == 1
    left = terminal.screen.text
    assert "storing collection_items: 11 partitions of 4 collections" in terminal.screen.said
    assert "collection_items: 24 of 24 items in " in left and "1 partition failed" in left
    assert "time left" not in left and "fetching" not in left and "storing collection" not in left
    assert terminal.screen.has_cursor


def test_many_collections_do_not_fill_the_screen(project: Path, api: StacApi) -> None:
    for number in range(40):
        for n in range(3 if number % 2 else 0):
            api.put(make_item(f"i{n}", f"c{number:02}", "2024-01-02T12:00:00Z"))
        api.collections.append(make_collection(f"c{number:02}")) if not number % 2 else None
    with (
        holding(api, lambda request: "c31" in (its := str(request.body)) and "c01" not in its),
        loading(project, api, lines=16) as terminal,
    ):
        shown = terminal.until(
            lambda text: re.search(r" done  [^$]* waiting  [^$]*^total .*/60 ", text, re.M)
        )
        lines = shown.splitlines()
        assert len(lines) <= 16
        assert any(re.match(r"\d+ done .* \d+/\d+ +\d+", line) for line in lines)
        assert any(re.match(r"\d+ waiting .* 0/\d+$", line) for line in lines)
        assert re.match(r"total .*\d+/120 +\d+/60 ", lines[-1])


def test_ctrl_c_leaves_a_clean_terminal(project: Path, api: StacApi) -> None:
    api.put(make_item("i", "x" * 200))  # so that lines are as long as they become
    api.fault("/search", times=None, drip=0.2)
    with loading(project, api) as terminal:
        terminal.until(lambda text: "fetching search" in text and "xxx" in text)
        terminal.press_ctrl_c()
        assert terminal.end() == 130
    assert (
        terminal.screen.text == "error: interrupted while search was being fetched; nothing was stored of it"
    )
    assert terminal.screen.has_cursor


def test_a_narrow_terminal_without_colours_keeps_what_matters(project: Path, api: StacApi) -> None:
    odd(api)
    others = {"NO_COLOR": "1", "PYTHONIOENCODING": "ascii"}
    settings = environment(api, **SLOWLY, **others)
    with holding(api, is_last), in_terminal(project, settings, *MODULE, *ALL, *EACH, columns=40) as terminal:
        shown = terminal.until(lambda text: re.search(r"^total +10/12 +1 ", text, re.M))
        assert re.search(r"^\[bold\]\S+ +2/3 +1 +done$", shown, re.M)
        assert re.search(r"^x+ +3/3 +done$", shown, re.M)
        assert re.search(r"^\?{7} +2/3 ", shown, re.M)
        assert "\x1b[3" not in terminal.screen.said.replace("\x1b[3m", "")  # colours, and not italics


def test_a_dumb_terminal_gets_lines(project: Path, api: StacApi) -> None:
    fill(api, day_items(1, 3, per_day=3))
    with loading(project, api, *ALL, TERM="dumb") as terminal:
        assert terminal.end() == 0
    assert "\x1b" not in terminal.screen.said
    assert (
        "fetching search: " in terminal.screen.said and "collection done, time left " in terminal.screen.said
    )


def test_other_resources_show_that_they_are_fetched_and_stored(project: Path, api: StacApi) -> None:
    fill(api, day_items(1, 2))
    resources = ("load", "--resource", "collections", "--resource", "item", "--id", "i1-0", "--id", "i2-0")
    with loading(project, api, *resources) as terminal:
        assert terminal.end() == 0
    for shown in (
        "fetching collections",
        "storing collections",
        "fetching item",
        "storing item: 1 partition",
    ):
        assert shown in terminal.screen.said
    assert "partitions" not in terminal.screen.said.partition("storing collections")[0]


@pytest.mark.usefixtures("by_date")
def test_a_log_gets_lines_that_a_program_can_read(
    run: Run, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stac_assets.cli.progress.LINE_SECONDS", 0.0)  # a line for each page
    monkeypatch.setattr("stac_assets.cli.progress.SAMPLE_SECONDS", 0.0)
    for name, value in SLOWLY.items():
        monkeypatch.setenv(name, value)
    odd(api)

    said = run(*ALL, *EACH)

    line = re.compile(
        r"fetching collection_items: [\d,]+( of [\d,]+\+?)? items?( in \d+ pages?)?, [\d,]+ items/s, "
        r"(\d+) of 4 collections done(, (\d+) partitions? failed)?, time left (not known|\d+:\d\d:\d\d)"
    )
    lines = [each for each in said.err.splitlines() if each.startswith("fetching")]
    found = [line.fullmatch(each) for each in lines]
    assert None not in found and len(found) > 5, lines
    done = [int(each[3]) for each in found if each is not None]
    assert done == sorted(done) and done[-1] == 4
    assert "1 partition failed" in lines[-1] and "\x1b" not in said.err
