"""What the page shows beside charts: sentences in the place of what cannot be shown, and cards of items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, ParamSpec, TypeVar

import marimo as mo
from dlt.common.exceptions import DltException

from stac_assets.catalog import UNNAMED, Catalog, each_catalog
from stac_assets.explore.latest import Latest
from stac_assets.explore.mirror import absent
from stac_assets.stac.errors import ConfigurationError, StacError

Arguments = ParamSpec("Arguments")
T = TypeVar("T")

CARD = "width:10.5rem; font-size:0.8rem; overflow-wrap:anywhere"
PICTURE = (
    "width:10.5rem; height:7rem; object-fit:cover; background:#eef3f7; border-radius:4px; color:#868e96; "
    "display:flex; align-items:center; justify-content:center"
)


def told(function: Callable[Arguments, T], *args: Arguments.args, **kwargs: Arguments.kwargs) -> T:
    """What a function returns. Where it fails for a reason that has a sentence, that is shown instead.

    The cells that need the result are not run then. A script ends with the sentence, and in Jupyter the error
    is raised.
    """
    try:
        return function(*args, **kwargs)
    except (StacError, DltException) as error:
        match mo.app_meta().mode:
            case "run" | "edit":
                mo.stop(True, note(str(error)))
            case "script":
                raise SystemExit(f"error: {error}") from error
            case _:
                pass
        raise


def note(sentence: str, kind: Any = "warn") -> mo.Html:
    """A sentence in a box; no markup in it is read."""
    return mo.callout(mo.Html(f"<span>{escape(sentence)}</span>"), kind=kind)


def argument(name: str) -> Any:
    """An argument of the command that runs the notebook; None in Jupyter, where there is no such command."""
    try:
        return mo.cli_args().get(name)
    except Exception:  # of a class that marimo keeps to itself
        return None


def configured_catalogs() -> tuple[dict[str, Catalog], list[str]]:
    """The catalogs of the project by the names that people see, and what is wrong with others."""
    catalogs: dict[str, Catalog] = {}
    faults: list[str] = []
    for each in each_catalog():
        if isinstance(each, ConfigurationError):
            faults.append(str(each))
        else:
            catalogs[each.name or UNNAMED] = each
    return catalogs, faults


def code(name: str) -> str:
    """A name from elsewhere as it stands in Markdown, in which it is no markup."""
    return "`{}`".format(name.replace("`", "'").replace("\n", " "))


def cards(items: Sequence[Latest]) -> mo.Html:
    """Items side by side, each with its picture and a link to it."""
    return mo.Html(
        '<div style="display:flex; flex-wrap:wrap; gap:1rem">' + "".join(map(_card, items)) + "</div>"
    )


def _card(item: Latest) -> str:
    name = escape(item.id)
    picture = (
        f'<img src="{escape(item.thumbnail)}" alt="the thumbnail is not to be had" loading="lazy" '
        f'referrerpolicy="no-referrer" style="{PICTURE}">'
        if item.thumbnail
        else f'<div style="{PICTURE}">no thumbnail</div>'
    )
    if item.link:
        opened = f'href="{escape(item.link)}" target="_blank" rel="noopener noreferrer"'
        name = f"<a {opened}>{name}</a>"
    clouds = "" if item.clouds is None else f" · {item.clouds:.0f} % clouds"
    time = "" if absent(item.time) else f"{item.time:%Y-%m-%d %H:%M}"
    return f'<div style="{CARD}">{picture}<div>{name}</div><div>{time}{clouds}</div></div>'
