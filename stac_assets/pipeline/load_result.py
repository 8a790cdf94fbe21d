"""What a load did, and the errors that name what of it failed."""

from dataclasses import dataclass, field
from itertools import groupby

from dlt.common.pipeline import LoadInfo
from dlt.common.schema.typing import TTableSchema

from stac_assets.pipeline.inspection_result import Inspection
from stac_assets.pipeline.target import Target
from stac_assets.source.changes.by_window import ChangesByWindow
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.request import LoadRequest
from stac_assets.stac.endpoints import Refused
from stac_assets.stac.errors import StacError
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Window
from stac_assets.stac.wording import counted


@dataclass(repr=False)
class LoadResult:
    """What a load did. Seconds are those of the clock.

    Args:
        request: what was asked for.
        target: where the rows went.
        figures: of all windows that were fetched to their end, or of the table.
        windows: the partitions that are stored.
        failed: the partitions that are as they were before.
        refused: the documents of a catalog table that were not to be had.
        unchanged: those of `windows` that were stored already as they were fetched, and are left as they are.
        changes: what was added, changed and removed; None where that is not told.
        misfits: how many values fit no column, by property.
        fetch_seconds: of the first half.
        store_seconds: of the second half.
        load_info: what dlt says of it; None if nothing was stored, or nothing was to be stored.
        table: the stored table as dlt's schema describes it.
        inspection: what the destination holds, if that was counted.
        location: where the table is, as people read it.
        url: where the rows of a table come from that has no items.
        collection_ids: the ids of all collections of the API, if the endpoint lists them.
    """

    request: LoadRequest
    target: Target
    figures: Figures
    windows: list[FetchedWindow] = field(default_factory=list)
    failed: list[FetchedWindow] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    unchanged: set[Window] = field(default_factory=set)
    misfits: dict[str, int] = field(default_factory=dict)
    changes: ChangesByWindow | None = None
    fetch_seconds: float = 0.0
    store_seconds: float = 0.0
    load_info: LoadInfo | None = None
    table: TTableSchema | None = None
    inspection: Inspection | None = None
    location: str = ""
    url: str | None = None
    collection_ids: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        """A line that says what is stored where."""
        has_items = self.request.endpoint.has_items
        what = counted(self.figures.items, "item" if has_items else "row")
        parts = f" in {counted(len(self.windows), 'partition')}" if has_items else ""
        failed = f", {len(self.failed):,} failed" if self.failed else ""
        to = f"{self.request.endpoint.name} → {self.location or 'nowhere'}"
        return f"<LoadResult: {what}{parts}{failed}, {to}>"

    def raise_on_failures(self) -> None:
        """Raise an error that names every window and every document that failed.

        Raises:
            PartsFailed: some did.
        """
        if self.failed:
            raise WindowsFailed(self.failed, len(self.windows))
        if self.refused:
            raise DocumentsRefused(self.refused)


class PartsFailed(StacError):
    """Something of what was requested could not be fetched; the rest is stored."""


class DocumentsRefused(PartsFailed):
    """Some documents of a catalog table were not to be had; the others are stored."""

    def __init__(self, refused: list[Refused]) -> None:
        names = "\n".join(f"  {refused.name}: {refused.error}" for refused in refused)
        told = counted(len(refused), "document was", "documents were")
        super().__init__(f"{told} not to be had, the others are stored:\n{names}")


class WindowsFailed(PartsFailed):
    """Some windows could not be fetched; the others are stored."""

    def __init__(self, failed: list[FetchedWindow], stored: int) -> None:
        names = "\n".join(f"  {_named(list(group))}" for _, group in groupby(failed, _cause))
        many = "partitions failed and are as they were before"
        told = counted(len(failed), "partition failed and is as it was before", many)
        super().__init__(f"{told}, {stored} stored:\n{names}")
        self.failed = failed


def _cause(failed: FetchedWindow) -> tuple[str, int]:
    """What windows have in common that are named in one line: a collection, and the very same error."""
    return failed.window.collection, id(failed.error)


def _named(failed: list[FetchedWindow]) -> str:
    first, more = failed[0], f" and {len(failed) - 1:,} more" if len(failed) > 1 else ""
    return f"{first.window}{more}: {first.error}"
