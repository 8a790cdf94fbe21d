"""`stac-assets init`: a project of one's own, with what its API says of its collections and days."""

import argparse
import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stac_assets.catalog import Catalog
from stac_assets.cli import advice
from stac_assets.cli.agents import Example
from stac_assets.cli.check import LONG_AGO, look
from stac_assets.cli.new_project import FILES, refuse_overwriting, write_project
from stac_assets.settings import SETTINGS, Settings
from stac_assets.settings.presets import read_preset
from stac_assets.settings.section import CREDENTIALS
from stac_assets.settings.values import ALL_COLLECTIONS
from stac_assets.stac.asked_once import AskedOnce
from stac_assets.stac.errors import StacError
from stac_assets.stac.survey import Presence

NAMED = 10
"""Collections that are written one by one; more are written as all."""


@dataclass(frozen=True)
class Plan:
    """What to write, and what to do first.

    Args:
        lines: of TOML, below the heading of the section.
        command: what `stac-assets` does first.
        unanswered: why the API has told nothing; None where it has.
        example: what can be loaded, as far as that is known.
    """

    lines: tuple[str, ...]
    command: tuple[str, ...]
    unanswered: StacError | None = None
    example: Example = field(default_factory=Example)


def run(arguments: argparse.Namespace) -> int:
    """Write the files, and print the next two commands."""
    folder = Path(arguments.folder)
    refuse_overwriting(folder)
    preset = arguments.preset
    known = {} if preset is None else dict(read_preset(preset))
    known.pop(CREDENTIALS, None)
    if arguments.base_url is not None:
        known["base_url"] = arguments.base_url
    settings = Settings(**known, collections=ALL_COLLECTIONS, start_date=LONG_AGO)
    catalog = Catalog(settings, arguments.catalog)
    plan = _plan(catalog.settings, preset)
    write_project(folder, plan.lines, catalog, plan.example)
    print(f"{folder} has {', '.join(FILES)}")
    if plan.unanswered is not None:
        print(f"{settings.base_url} told nothing of its collections and days: {plan.unanswered}")
    named = () if arguments.catalog is None else ("--catalog", arguments.catalog)
    print("Next:")
    for command in (("stac-assets", *plan.command, *named), ("dagster", "dev")):
        print(f"  cd {shlex.quote(str(folder))} && {_found(command[0])} {shlex.join(command[1:])}".rstrip())
    return 0


def _plan(settings: Settings, preset: str | None) -> Plan:
    try:
        return _asked(settings, preset)
    except StacError as error:
        return Plan((*_api(settings, preset), 'collections = "*"'), ("check",), error)


def _asked(settings: Settings, preset: str | None) -> Plan:
    """The plan for what the API has.

    Raises:
        StacError: it does not say.
    """
    api = AskedOnce(settings.api)
    names, found, further = look(settings, api)
    if further.spans is None:
        probe = found.probe("client_root")
        raise StacError(next((p.detail for p in found.probes if p.presence is Presence.FAILED), probe.detail))
    if len(names) <= NAMED:
        settings = settings.with_(collections=tuple(names))
    today = datetime.now(UTC).date()
    size = advice.page_size(further.largest, settings)
    advised = advice.advise(further.spans, settings.with_(page_size=size or settings.page_size), today)
    _, _, *lines = advice.recommended(advised, found, settings, api, size, today)
    lines = [line for line in lines if not _is_said(line, settings, preset)]
    # Items are seen by sorted searches only, so that this one has what `load` loads.
    seen = [span for span in further.spans.spans if span.is_seen and span.last is not None]
    claimed = [span for span in further.spans.spans if span.last is not None]
    if not claimed:
        return Plan((*_api(settings, preset), *lines), ("check",))
    span = (seen or claimed)[0]
    day = min(span.last or today, today)
    granularity = settings.granularity if advised is None else advised.granularity
    example = Example(span.collection, day, granularity)
    only = ("load", "--collection", span.collection, "--start", str(day), "--end", str(day))
    return Plan((*_api(settings, preset), *lines), only if seen else ("check",), example=example)


def _api(settings: Settings, preset: str | None) -> Iterator[str]:
    """The line that names the API."""
    value: tuple[str, Any] = ("base_url", settings.base_url) if preset is None else ("preset", preset)
    yield f"{value[0]} = {json.dumps(value[1], ensure_ascii=False)}"


def _is_said(line: str, settings: Settings, preset: str | None) -> bool:
    """Whether a line says what the preset says, or the default."""
    name, _, value = line.partition(" = ")
    if name not in ("page_size", "search_method"):
        return False
    said = SETTINGS[name].field.default if preset is None else getattr(settings, name)
    return value == json.dumps(said)


def _found(command: str) -> str:
    """A command as it can be typed: with its folder where that of this environment is not on the PATH."""
    here = Path(sys.executable).parent / command
    on_path = shutil.which(command)
    if on_path is not None and Path(on_path).resolve() == here.resolve():
        return command
    return shlex.quote(str(here)) if here.exists() else command
