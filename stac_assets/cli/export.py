"""`stac-assets export`: items of the table `search` as files of stac-geoparquet."""

import argparse
import sys
from datetime import date

from stac_assets.cli.console import catalog_from, tell_error
from stac_assets.export.exporting import Days, export_collection
from stac_assets.export.folder import SUFFIX
from stac_assets.export.result import Exported
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import parse_day
from stac_assets.stac.wording import counted

_WORDS = {
    "without_geometry": "items without a geometry, which many readers refuse",
    "properties_left_out": "properties with the name of a member of items, left out",
    "properties_as_text": "properties of several types, or of more than 100 members, as text",
}


def run(arguments: argparse.Namespace) -> int:
    """Export each collection, and say what there is now."""
    catalog = catalog_from(arguments)
    collections = catalog.settings.named_collections
    if not collections:
        raise ConfigurationError("an export needs the names of collections: give --collection")
    if arguments.to.endswith(SUFFIX) and len(collections) > 1:
        arguments.usage_error("a file holds one collection: give a single --collection, or a folder")
    days = Days(_day(arguments.start, "--start"), _day(arguments.end, "--end"))
    if days.first and days.last and days.first > days.last:
        raise ConfigurationError(f"--start {days.first} is after --end {days.last}. Nothing was written")
    status = 0
    for collection in collections:
        exported = export_collection(
            catalog,
            collection,
            arguments.to,
            days,
            doing="stac-assets export",
            tell=lambda line: print(line, file=sys.stderr),
        )
        _tell(collection, exported, catalog.flag)
        if not exported.files and not exported.removed:
            tell_error(f"the table search holds no items of {collection} in these days: nothing was written")
            status = 1
    return status


def _day(text: str | None, name: str) -> date | None:
    return None if text is None else parse_day(text, name)


def _tell(collection: str, exported: Exported, of: str) -> None:
    files = list(exported.files.values())
    if files:
        to = files[0] if len(files) == 1 else f"{files[0]} … {files[-1]}"
        print(f"{collection} → {counted(exported.items, 'item')} in {counted(len(files), 'file')}: {to}")
        if not exported.has_collection:
            print(
                "  without the document of the collection, which no load has stored yet: stac-assets load"
                f"{of} --resource collections, and export again"
            )
    if exported.removed:
        print(f"  {counted(len(exported.removed), 'file')} removed")
    for name, text in exported.notes().items():
        if name in _WORDS:
            print(f"  {_WORDS[name]}: {text}")
    if exported.structure is not None and exported.structure.assets_as == "map":
        print("  assets are a map, because their keys are many: stac_geoparquet does not read that")
