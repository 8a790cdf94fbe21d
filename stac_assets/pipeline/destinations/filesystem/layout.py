"""Which files of a table belong together, and where they lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from dlt.common.schema import Schema

from stac_assets.source.changes.feed import CHANGES
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import PartitionKey

Key = str | None
"""What the partition column holds in all rows of a file; None for a table that is replaced as a whole."""

Described = Mapping[str, Any]
"""A table as dlt's schema describes it."""

_HIVE_NAMES = {
    (PARTITION_KEY, 2): ("collection", "date"),
    (PARTITION_KEY, 3): ("resource", "collection", "date"),
    ("id", 1): ("collection",),
}
"""By partition column, and number of parts of its value: what the directories are called."""


HIVE_COLUMNS = frozenset({"date", "resource"})
"""What directories are called beside `collection`; readers make columns of them."""


LONGEST_NAME = 255
"""Bytes of the name of a file or directory at most, as all usual file systems have it."""
LONGEST_KEY = 1024
"""Bytes of a key in a bucket at most: those of S3, Google Cloud and Azure have that limit in common."""
_LONGEST_BESIDE = "resource=collection_items"
"""The longest directory above that of a collection."""


@dataclass(frozen=True)
class Layout:
    """How a table is divided.

    Args:
        column: the partition column; None for a table that is replaced as a whole.
        identity: of a table whose replaced unit is the row, what names a row.
        parts: how many parts the values of `column` have.
    """

    column: str | None = None
    identity: tuple[str, ...] = ()
    parts: int = 0

    @property
    def hive_names(self) -> tuple[str, ...]:
        """The names of the directories below the table's, from the first one down."""
        return _HIVE_NAMES[self.column, self.parts] if self.column else ()

    def hive_path(self, key: Key) -> str:
        """`collection=…/date=…`; what a path may not hold is quoted by percent signs, as Hive does."""
        if key is None:
            return ""
        named = zip(self.hive_names, self._split(key), strict=True)
        return "/".join(f"{name}={quote(value, safe='')}" for name, value in named)

    def hive_values(self, path: str) -> dict[str, Any]:
        """The columns that a path below the table's directory says: the inverse of `hive_path`."""
        values: dict[str, str] = {}
        for part in path.split("/")[:-1]:
            name, _, value = part.partition("=")
            values[name] = unquote(value)
        if not self.column or set(values) != set(self.hive_names):
            return {}
        return {**values, self.column: "|".join(values[name] for name in self.hive_names)}

    def _split(self, key: str) -> list[str]:
        """The parts of a key; only its collection may hold the separator."""
        if self.parts == 1:
            return [key]
        *others, rest = key.split("|", self.parts - 2)
        return [*others, *map(str, PartitionKey.parse(rest))]


def layout_of(table: Described) -> Layout:
    """The layout of a table, by the hints of its resource."""
    if table.get("write_disposition") != "merge":
        return Layout()
    identity = tuple(_with_hint(table, "primary_key"))
    keys = _with_hint(table, "merge_key")
    column = PARTITION_KEY if identity else keys[0]
    parts = 1 if column != PARTITION_KEY else 3 if "resource" in table["columns"] else 2
    return Layout(column, identity, parts)


def _with_hint(table: Described, hint: str) -> list[str]:
    return [name for name, column in table["columns"].items() if column.get(hint)]


def check_directory(collection: str, above: str | None) -> None:
    """Refuse a collection that no directory of a Hive layout can be named after.

    A shorter name would not do: readers take the collection of each row from there.

    Args:
        collection: its id.
        above: in a bucket, the path of the table that has the longest one; None for a folder.

    Raises:
        ConfigurationError: its name is too long; the message says what to do.
    """
    name = f"collection={quote(collection, safe='')}"
    if above is None:
        length, most, what = len(name), LONGEST_NAME, "name of a directory"
    else:
        path = f"{above}/{_LONGEST_BESIDE}/{name}/date=2024-01-01/part-00000.parquet"
        length, most, what = len(path.encode()), LONGEST_KEY, "key in a bucket"
    if length > most:
        raise ConfigurationError(
            f"the id of the collection {collection!r} is too long for plain Parquet, whose directories are "
            f"named after it: a {what} has {most} bytes at most, and this would be one of {length}. Set "
            "table_format to delta (with another dataset_name, where this dataset has tables already), or "
            "leave the collection out of `collections`. Nothing was fetched"
        )


def check_table_format(schema: Schema | None, wanted: str | None, dataset_setting: str) -> None:
    """Refuse to write files of one format among those of another.

    Args:
        schema: what the destination says it holds, if anything.
        wanted: dlt's `table_format` of this load; None for plain Parquet.
        dataset_setting: where a user names the dataset.

    Raises:
        ConfigurationError: a table has another one.
    """
    tables = schema.data_tables(seen_data_only=True) if schema else []
    for table in sorted(tables, key=lambda table: table.get("name") == CHANGES):  # the items' is named first
        stored = table.get("table_format")
        if stored != wanted:
            raise ConfigurationError(
                f"table_format is {wanted or 'parquet'}, but this dataset's {table.get('name')} is "
                f"{stored or 'parquet'}; a dataset keeps its format. Set it back, or set another "
                f"{dataset_setting}"
            )
