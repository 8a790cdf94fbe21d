"""`stac-assets check`: what the API has, and whether that is what a load needs."""

import argparse
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stac_assets.cli import advice
from stac_assets.cli.console import settings_from, sized, tell_error
from stac_assets.settings import SECTION, Settings
from stac_assets.settings.values import ITEM_ASSETS
from stac_assets.stac.api import StacApi
from stac_assets.stac.errors import ConfigurationError, UnknownCollection
from stac_assets.stac.spans import spans
from stac_assets.stac.survey import (
    CollectionEstimate,
    Credential,
    Presence,
    Probe,
    Survey,
    credential_settings,
    survey,
)
from stac_assets.stac.windows import ONE_DAY, Window

STYLES = {Presence.PRESENT: "green", Presence.NOT_ASKED: "yellow"}


def run(arguments: argparse.Namespace) -> int:
    """Print the survey; 1 if something that the item assets need is missing."""
    settings = settings_from(arguments)
    found = survey(settings.api, ranges(settings), settings.narrowing)
    console = Console(highlight=False)
    _print(found, settings, console)
    if found.estimates:
        can_search = found.probe("search").presence is Presence.PRESENT
        names = [estimate.window.collection for estimate in found.estimates]
        advice.tell(spans(settings.api, names, settings.narrowing, can_search=can_search), settings, console)
    problems = list(_problems(found, settings))
    for problem in problems:
        tell_error(problem)
    for name in found.unclaimed:
        console.print(
            f"`{name}` narrows the search, and the API does not claim the {name} extension (/conformance): "
            "it may pay no heed to it, or answer with nothing, which would empty partitions",
            markup=False,
            soft_wrap=True,
        )
    if not problems and not found.unclaimed:
        console.print(f"Everything that {', '.join(settings.item_assets)} needs is there.")
    return 1 if problems else 0


def ranges(settings: Settings) -> list[Window]:
    """The configured days of each collection, as one window."""
    names = settings.named_collections or StacApi(settings.api).collection_ids()
    found = []
    for name in names:
        windows = settings.windows(name)
        if not windows:
            raise ConfigurationError(f"there is no day from start_date {settings.start_date} to today")
        found.append(Window(name, windows[0].start, windows[-1].end))
    if not found:
        raise ConfigurationError(f"{settings.base_url} lists no collection")
    return found


def _print(found: Survey, settings: Settings, console: Console) -> None:
    console.print(f"API    {found.base_url}", markup=False, soft_wrap=True)
    console.print(f"token  {found.credential}{_carriers(settings)}", markup=False, soft_wrap=True)
    console.print(_endpoints(found))
    if found.estimates:
        console.print(_collections(found, settings))


def _carriers(settings: Settings) -> str:
    """Where a credential was found, by name: values are never shown."""
    names = credential_settings(settings.api)
    if settings.withheld and not names:
        return " for this API; what is configured for another one is not sent"
    return f" ({' and '.join(names)})" if names else ""


def _endpoints(found: Survey) -> Table:
    table = Table(title="Endpoints", title_justify="left")
    for heading in ("endpoint", "there", "what came"):
        table.add_column(heading)
    for probe in found.probes:
        style = STYLES.get(probe.presence, "red")
        table.add_row(probe.endpoint, f"[{style}]{probe.presence}[/]", escape(probe.detail))
    return table


def _collections(found: Survey, settings: Settings) -> Table:
    days = found.estimates[0].window
    narrowed = ", as the settings narrow them" if settings.narrowing else ""
    title = f"Items from {days.start} to {days.end - ONE_DAY}{narrowed}"
    table = Table(title=title, title_justify="left")
    table.add_column("collection")
    for heading in ("items", "each", "all, about"):
        table.add_column(heading, justify="right")
    for estimate in found.estimates:
        table.add_row(escape(estimate.window.collection), *_amounts(estimate))
    return table


def _amounts(estimate: CollectionEstimate) -> tuple[str, str, str]:
    if estimate.error is not None:
        return "[red]not readable[/]", "", ""
    items = "unknown" if estimate.items is None else f"{estimate.items:,}"
    each, total = (
        "unknown" if size is None else sized(size) for size in (estimate.item_bytes, estimate.total_bytes)
    )
    return items, each, total


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
        refused = "the API refuses the token" if found.credential is Credential.REFUSED else found.credential
        return f"{probe.detail}; {refused}. {settings.api.token_help}"
    if probe.presence is Presence.FAILED:
        return probe.detail
    others = [name for name in ITEM_ASSETS if found.probe(name).presence is Presence.PRESENT]
    if not others:
        return "the API does not have it, nor another endpoint that items could be loaded from"
    return (
        f'the API does not have it; set `item_assets = ["{others[0]}"]` under [{SECTION}], '
        "or load that with --resource"
    )
