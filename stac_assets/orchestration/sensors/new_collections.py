"""One tick of `new_collections_sensor`: which collections the API has that it had not, and the reverse."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import dagster as dg
import msgspec

from stac_assets.catalog import Catalog
from stac_assets.orchestration.collection_keys import partitionable
from stac_assets.orchestration.sensors.budget import MAX_CONFIRMED, MAX_SECONDS
from stac_assets.settings.partition_count import told_of_many
from stac_assets.stac.api import StacApi
from stac_assets.stac.errors import StacError
from stac_assets.stac.watch.patience import impatient, stopping_after
from stac_assets.stac.wording import counted


class Known(msgspec.Struct, frozen=True):
    """The cursor, for a fixed list of collections: what the API had."""

    version: int
    base_url: str
    collections: tuple[str, ...]


@dataclass(frozen=True)
class Offer:
    """The collections that the API lists, and those of the known ones that it has no more."""

    listed: tuple[str, ...]
    new: tuple[str, ...]
    vanished: tuple[str, ...]


class NewCollections:
    """Evaluates one tick.

    Args:
        catalog: what is mirrored.
        instance: of Dagster, which has the partition keys.
    """

    def __init__(self, catalog: Catalog, instance: dg.DagsterInstance) -> None:
        self._catalog = catalog
        self._settings = catalog.settings
        self._instance = instance

    def tick(self, cursor_text: str | None) -> dg.SensorResult:
        """Add and remove partition keys, or tell of what is new and what is gone."""
        try:
            if self._settings.all_collections:
                return self._followed()
            return self._reported(cursor_text)
        except StacError as error:
            return dg.SensorResult(
                skip_reason=f"nothing is changed, as the API failed: {error}", cursor=cursor_text
            )

    def _followed(self) -> dg.SensorResult:
        """Partition keys as the API has collections."""
        keys = dg.DynamicPartitionsDefinition(name=self._catalog.collection_partitions_name)
        known = self._instance.get_dynamic_partitions(self._catalog.collection_partitions_name)
        offer = self._offer(known)
        requests = []
        if offer.new:
            requests.append(keys.build_add_request(list(offer.new)))
        if offer.vanished:
            requests.append(keys.build_delete_request(list(offer.vanished)))
        words = [counted(len(offer.listed), "collection"), f"added: {_names(offer.new)}"]
        if offer.vanished:
            words.append(f"removed: {_names(offer.vanished)}; their rows stay in the tables")
        if told := told_of_many(self._settings, len(known) + len(offer.new) - len(offer.vanished)):
            words.append(told)
        return dg.SensorResult(skip_reason="; ".join(words), dynamic_partitions_requests=requests)

    def _reported(self, cursor_text: str | None) -> dg.SensorResult:
        """What differs from what the API had, and from the settings."""
        settings, known = self._settings, _known(cursor_text, self._settings.base_url)
        offer = self._offer((*settings.named_collections, *(known or ())))
        gone = [name for name in settings.named_collections if name in offer.vanished]
        words = [f"{name!r} of the settings is not there{_near(name, offer.listed)}" for name in gone]
        if known is None:
            words.append(f"baseline recorded: {counted(len(offer.listed), 'collection')}")
        else:
            new = [name for name in offer.listed if name not in known]
            vanished = [name for name in offer.vanished if name in known and name not in gone]
            words.append(f"new: {_names(new)}; vanished: {_names(vanished)}; {len(offer.listed)} in all")
        cursor = Known(1, settings.base_url, offer.listed)
        return dg.SensorResult(skip_reason="; ".join(words), cursor=msgspec.json.encode(cursor).decode())

    def _offer(self, names: Iterable[str]) -> Offer:
        """What the API has, compared with the names that are known.

        Raises:
            StacError: it did not answer, or with what cannot be believed.
        """
        known = dict.fromkeys(names)
        with stopping_after(MAX_SECONDS) as stopped:
            api = StacApi(impatient(self._settings.api), stopped)
            listed = tuple(partitionable(api.collection_ids()))
            if not listed and known:
                raise StacError("it lists no collection at all, which is taken for a fault")
            missing = [name for name in known if name not in set(listed)]
            # a list may be cut short; what is gone is gone by its own URL, too
            vanished = tuple(name for name in missing[:MAX_CONFIRMED] if not api.has_collection(name))
        return Offer(listed, tuple(name for name in listed if name not in known), vanished)


def _known(text: str | None, base_url: str) -> tuple[str, ...] | None:
    """The collections that the API had at the tick before; None where that is not known."""
    try:
        known = msgspec.json.decode(text or "", type=Known)
    except msgspec.MsgspecError:
        return None
    return known.collections if (known.version, known.base_url) == (1, base_url) else None


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:20])
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown or "none"


def _near(name: str, listed: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, listed, n=3)
    return f" (near matches: {', '.join(near)})" if near else ""
