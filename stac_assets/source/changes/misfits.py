"""Values that fit no column, of rows that are stored already and are not made again."""

from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
from dlt.common.schema.typing import TTableSchemaColumns

from stac_assets.source.columns import ITEM_COLUMNS, PROPERTY_HINT, type_of
from stac_assets.source.fitting import fitted
from stac_assets.source.promotion import KIND_OF_TYPE
from stac_assets.source.spool_file import SpoolFile


def misfits_in(files: Iterable[SpoolFile], columns: TTableSchemaColumns) -> Counter[str]:
    """How many values of each property fit no column; no column is read of which all values do.

    Args:
        files: with the rows as they were fetched.
        columns: of the table that holds them.
    """
    types = {
        str(column[PROPERTY_HINT]): type_of(column) for column in columns.values() if PROPERTY_HINT in column
    }
    found = Counter[str]()
    for file in files:
        found.update({n: count for n, count in file.misfits.items() if n in ITEM_COLUMNS or n in types})
        with pa.memory_map(str(file.path)) as source:
            names = pa.ipc.open_file(source).schema.names
            pairs = [(place, *name.partition(":")[::2]) for place, name in enumerate(names)]
            doubtful = [
                (place, kind, name)
                for place, kind, name in pairs
                if name in types
                and (kind != KIND_OF_TYPE[types[name]] or types[name] in ("timestamp", "bigint"))
            ]
            if not doubtful:
                continue
            wanted = pa.ipc.IpcReadOptions(included_fields=[place for place, _, _ in doubtful])
            table = pa.ipc.open_file(source, options=wanted).read_all()
            for (_, kind, name), values in zip(doubtful, table.columns, strict=True):
                fits = kind == KIND_OF_TYPE[types[name]]
                left = fitted(values, types[name]).null_count if fits else len(values)
                found[name] += left - values.null_count
    return +found
