"""The newest items of a collection, as they are shown: a picture, a time, and where the item is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from msgspec import DecodeError
from msgspec.json import decode

from stac_assets.explore.mirror import Mirror, Table, absent
from stac_assets.explore.sample import Sample
from stac_assets.source.columns import ITEM_TIME

MOST = 12
"""Items that are shown."""
CLOUDS = "eo_cloud_cover"
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/svg+xml")
"""What browsers show."""
NAMES = ("thumbnail", "rendered_preview", "preview", "overview", "quicklook", "browse")
"""Keys and roles of assets that are pictures of an item, the smallest first."""
SCHEMES = ("http", "https")


@dataclass(frozen=True)
class Latest:
    """An item.

    Args:
        id: its id.
        time: its `datetime`, or else `start_datetime`, in UTC.
        clouds: its cloud cover in percent, if it has one.
        thumbnail: URL of a picture that a browser can show.
        link: URL of the item.
    """

    id: str
    time: Any
    clouds: float | None
    thumbnail: str | None
    link: str | None


def latest(mirror: Mirror, table: Table, some: Sample) -> list[Latest]:
    """The newest of some items. Their documents are read after it is known which ones these are."""
    where = f"FROM {table.sql} WHERE {some.condition}"
    order = f"ORDER BY {ITEM_TIME} DESC, id LIMIT {MOST}"
    found = mirror.ask(f"SELECT id {where} {order}", *some.values)
    ids = [str(item) for item in found["id"]]
    if not ids:
        return []
    clouds = CLOUDS if CLOUDS in table.columns else "CAST(NULL AS DOUBLE PRECISION)"
    rows = mirror.ask(
        f"SELECT id, {ITEM_TIME} AS time, {clouds} AS clouds, CAST(assets AS VARCHAR) AS assets, "
        f"CAST(links AS VARCHAR) AS links {where} AND id IN ({', '.join(['%s'] * len(ids))}) {order}",
        *some.values,
        *ids,
    )
    return [_latest(*row) for row in rows.itertuples(index=False)]


def _latest(item: str, time: Any, clouds: Any, assets: Any, links: Any) -> Latest:
    home = next(_urls(_parsed(links), "self", "canonical"), None)
    cover = None if absent(clouds) else float(clouds)
    return Latest(item, time, cover, _thumbnail(_parsed(assets), home), home)


def _parsed(text: Any) -> Any:
    try:
        return decode(text) if isinstance(text, str | bytes) else None
    except DecodeError:
        return None


def _urls(links: Any, *relations: str) -> Iterator[str]:
    """The targets of links that a browser can open, by relation."""
    known = [link for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    for relation in relations:
        for link in known:
            if link.get("rel") == relation and (url := _opened(link.get("href"))):
                yield url


def _thumbnail(assets: Any, home: str | None) -> str | None:
    if not isinstance(assets, dict):
        return None
    pictures = {
        key: (url, asset.get("roles") or ())
        for key, asset in assets.items()
        if isinstance(asset, dict) and _is_picture(asset) and (url := _opened(asset.get("href"), home))
    }
    for name in NAMES:
        for key, (url, roles) in pictures.items():
            if key == name or (isinstance(roles, list) and name in roles):
                return url
    return None


def _is_picture(asset: dict[str, Any]) -> bool:
    kind = asset.get("type")
    if isinstance(kind, str):
        return kind.partition(";")[0].strip().lower() in PICTURES
    return str(asset.get("href")).lower().rpartition(".")[2] in ("png", "jpg", "jpeg", "webp", "gif")


def _opened(href: Any, base: str | None = None) -> str | None:
    """A URL that a browser opens; one that is not whole is of the item's document."""
    if not isinstance(href, str):
        return None
    try:
        url = urljoin(base, href) if base else href
        return url if urlsplit(url).scheme in SCHEMES else None
    except ValueError:
        return None
