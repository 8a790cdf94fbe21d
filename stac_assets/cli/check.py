"""`stac-assets check`: what the API has and can do, and whether that is what a load needs."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime

from rich.console import Console

from stac_assets.cli import advice
from stac_assets.cli.check_tables import collections, drawn, endpoints, facts, legend
from stac_assets.cli.console import catalog_from, tell_error
from stac_assets.cli.findings import Findings, lines
from stac_assets.settings import Settings
from stac_assets.settings.chosen_api import chosen_url
from stac_assets.settings.configuration import providers
from stac_assets.settings.model import SETTINGS
from stac_assets.settings.partition_count import told_of_many
from stac_assets.settings.values import ALL_COLLECTIONS, ITEM_ASSETS
from stac_assets.stac.asked_once import AskedOnce
from stac_assets.stac.endpoints import ITEM_ENDPOINTS
from stac_assets.stac.errors import ConfigurationError, RequestFailed, StacError, UnknownCollection
from stac_assets.stac.spans import MOST_COLLECTIONS, evenly_chosen, named_by_items, spans
from stac_assets.stac.support import Support
from stac_assets.stac.survey import (
    Credential,
    Presence,
    Probe,
    Survey,
    credential_settings,
    survey,
)
from stac_assets.stac.watch.changed_windows import Calendar
from stac_assets.stac.windows import Window
from stac_assets.stac.wording import counted

LONG_AGO = date(1900, 1, 1)
"""Hardly an item is older."""


def run(arguments: argparse.Namespace) -> int:
    """Print what was learned; 1 if something that the item assets need is missing."""
    return report(arguments, Console(highlight=False), tell_error)


def report(arguments: argparse.Namespace, console: Console, tell: Callable[[str], None]) -> int:
    """The same, printed to a console; `tell` gets what is missing, line by line."""
    settings, is_configured = _settings(arguments)
    api = AskedOnce(settings.api)
    names, found, further = look(settings, api)
    console.print(f"API    {found.base_url}", markup=False, soft_wrap=True)
    console.print(f"token  {found.credential}{_carriers(settings)}\n", markup=False, soft_wrap=True)
    console.print(endpoints(found))
    if found.estimates:
        console.print()
        console.print(facts(list(lines(api, found, further))))
        console.print()
        console.print(collections(found, further.spans, settings))
        console.print(legend(found, settings), markup=False)
        bars = drawn(found, further.spans, settings, is_configured)
        if bars.has_any:
            console.print()
            console.print(bars)
        advised = advice.tell(found, further, settings, api, console)
        if told := _told_of_many(settings, len(names), None if is_configured else advised):
            console.print(told, markup=False, soft_wrap=True)
    problems = list(_problems(found, settings))
    for problem in problems:
        tell(problem)
    for name in found.unclaimed:
        console.print(
            f"`{name}` narrows the search, and the API does not claim the {name} extension (/conformance): "
            "it may pay no heed to it, or answer with nothing, which would empty partitions",
            markup=False,
            soft_wrap=True,
        )
    asked = counted(api.transport.sent, "request")
    if problems or found.unclaimed:
        console.print(f"{asked} made.")
    else:
        console.print(f"Everything that {', '.join(settings.item_assets)} needs is there. {asked} made.")
    return 1 if problems else 0


def look(settings: Settings, api: AskedOnce) -> tuple[Sequence[str], Survey, Findings]:
    """The collections, what the API has of them, and, where it has some, what else is to be known.

    Raises:
        StacError: it does not say which collections it has.
    """
    names = _names(settings, api)
    chosen = evenly_chosen(names) if settings.all_collections else names
    found = survey(api, _ranges(settings, chosen), settings.narrowing)
    return names, found, _further(api, found, settings, names) if found.estimates else Findings()


def _settings(arguments: argparse.Namespace) -> tuple[Settings, bool]:
    """The settings in force, and whether their days are configured for this API.

    Of an API for which no collections are configured, all are looked at, and so are the items of all times,
    if no first day is given.
    """
    catalog = catalog_from(arguments)
    settings = catalog.settings
    is_named = "collections" in settings.model_fields_set
    if catalog.name is not None:  # which has all of them where it names none
        is_named = not settings.all_collections
    if arguments.collections is None and (arguments.base_url or arguments.preset) is not None:
        stored = chosen_url({}, providers(), settings.section) or SETTINGS["base_url"].default
        is_named = is_named and str(stored).rstrip("/") == settings.base_url
    if is_named or "base_url" not in settings.model_fields_set:
        return settings, True
    first = {} if "start_date" in settings.model_fields_set else {"start_date": LONG_AGO}
    return settings.with_(collections=ALL_COLLECTIONS, **first), not first


def _told_of_many(settings: Settings, collections: int, advised: advice.Advice | None) -> str:
    """A line where Dagster would have too many partitions; empty elsewhere.

    They are those of the settings, and those of what is recommended where no days are configured.
    """
    if advised is not None:
        settings = settings.with_(
            start_date=advised.first, end_date=advised.last, granularity=advised.granularity
        )
    return told_of_many(settings, collections)


def _names(settings: Settings, api: AskedOnce) -> Sequence[str]:
    """The configured collections, or all that the API lists; if it cannot list them, some that items name."""
    if settings.named_collections:
        return settings.named_collections
    try:
        api.landing.document()
    except RequestFailed:  # which the survey tells, and then asks for nothing else
        return [ALL_COLLECTIONS]
    try:
        names = api.collection_ids()
    except StacError as error:
        names = named_by_items(api)
        if not names:
            raise error
    if not names:
        raise ConfigurationError(f"{settings.base_url} lists no collection")
    return names


def _ranges(settings: Settings, names: Sequence[str]) -> list[Window]:
    """The configured days of each collection, as one window."""
    last = settings.end_date or datetime.now(UTC).date()
    if last < settings.start_date:
        raise ConfigurationError(f"there is no day from start_date {settings.start_date} to today")
    granularity = settings.granularity
    start, end = granularity.floor(settings.start_date), granularity.next(granularity.floor(last))
    return [Window(name, start, end) for name in names]


def _further(api: AskedOnce, found: Survey, settings: Settings, names: Sequence[str]) -> Findings:
    """What the survey does not ask for. A part that fails says so, and the others are told."""
    can_search = found.probe("search").presence is Presence.PRESENT
    held = spans(api, names, settings.narrowing, can_search=can_search)
    there = [endpoint for endpoint in ITEM_ENDPOINTS if endpoint.first_page is not None]
    there = [one for one in there if found.probe(one.name).presence is Presence.PRESENT]
    readable = [estimate for estimate in found.estimates if estimate.error is None]
    if not there or not readable:
        return Findings(held)
    readable.sort(key=lambda estimate: -(estimate.item_bytes or 0))
    of = [estimate.window.collection for estimate in readable][:MOST_COLLECTIONS]
    support = Support(api, there[0], settings.narrowing, of)
    largest = support.largest_page(readable[0].item_bytes)
    dates = None if largest.page is None or not largest.page.items else support.dates(largest.page)
    today = datetime.now(UTC).date()
    calendar = Calendar(settings.start_date, settings.end_date, settings.granularity, today)
    return Findings(held, largest, dates, *support.watched(of[0], calendar))


def _carriers(settings: Settings) -> str:
    """Where a credential was found, by name: values are never shown."""
    names = credential_settings(settings.api)
    if settings.withheld and not names:
        return " for this API; what is configured for another one is not sent"
    return f" ({' and '.join(names)})" if names else ""


def _problems(found: Survey, settings: Settings) -> Iterator[str]:
    """What is missing for the item assets, and what to do."""
    lacking = found.lacking(settings.item_assets)
    for probe in lacking:
        yield f"{probe.endpoint}: {_advice(probe, found, settings)}"
    for estimate in found.unreadable:
        # what ails an endpoint ails every collection, and has been said
        if not lacking or isinstance(estimate.error, UnknownCollection):
            yield f"{estimate.window.collection}: {estimate.error}"


def _advice(probe: Probe, found: Survey, settings: Settings) -> str:
    if probe.presence is Presence.REFUSED:
        if found.credential is Credential.NOT_SENT:
            return f"{probe.detail}; the token is {found.credential}"
        refused = "the API refuses the token" if found.credential is Credential.REFUSED else found.credential
        return f"{probe.detail}; {refused}. {settings.api.token_help}"
    if probe.presence is Presence.FAILED:
        return probe.detail
    others = [name for name in ITEM_ASSETS if found.probe(name).presence is Presence.PRESENT]
    if not others:
        return "the API does not have it, nor another endpoint that items could be loaded from"
    return (
        f'the API does not have it; set `item_assets = ["{others[0]}"]` under [{settings.section.key}], '
        "or load that with --resource"
    )
