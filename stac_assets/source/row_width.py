"""Rows that have more values than a row of the destination can hold: what does not fit stays in `properties`.

PostgreSQL stores a row within a page, and only long values apart from it. So a number takes 8 bytes, and a
text or JSON at most 24: what is longer is stored apart, and leaves a pointer of 18 bytes. Every value counts
as the next multiple of 8, because a number begins at one.
"""

from collections.abc import Iterable
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

Array: TypeAlias = pa.Array | pa.ChunkedArray

ALIGNMENT = 8
WIDEST = 24
"""Bytes that a value takes at most."""
HEADER = 224
"""Bytes before the values of a row: 23, and a bit for each of 1,600 columns."""


def keep_to_width(
    arrays: dict[str, Array], names: Iterable[str], rows: int, most: int, others: int
) -> dict[str, int]:
    """Leave out the values for which their row has no room, column by column.

    What a row keeps depends on its own values alone, so that a load again keeps the same.

    Args:
        arrays: of columns, by name; those that lose values are replaced.
        names: of the columns that may lose values, in the order in which they take the room.
        rows: how many there are.
        most: bytes that a row may have.
        others: columns that every row may fill besides.

    Returns:
        How many values were left out, by column.
    """
    room = most - HEADER - others * WIDEST
    filled = [name for name in names if name in arrays]
    if len(filled) * WIDEST <= room:
        return {}
    left_out: dict[str, int] = {}
    used: Array = pa.repeat(pa.scalar(0, pa.int64()), rows)
    for name in filled:
        array = arrays[name]
        after = pc.add(used, _widths(array))  # type: ignore[attr-defined]
        fits = pc.less_equal(after, room)  # type: ignore[attr-defined]
        used = pc.if_else(fits, after, used)  # type: ignore[attr-defined]
        kept = pc.if_else(fits, array, None)  # type: ignore[attr-defined]
        if kept.null_count > array.null_count:
            left_out[name] = kept.null_count - array.null_count
            arrays[name] = kept
    return left_out


def _widths(array: Array) -> Array:
    """The bytes that each value takes at most; a text has a byte before it."""
    if not pa.types.is_string(array.type):
        widths = pc.if_else(pc.is_valid(array), ALIGNMENT, 0)  # type: ignore[attr-defined]
        return widths.cast(pa.int64())
    length = pc.binary_length(array).cast(pa.int64())  # type: ignore[attr-defined]
    units = pc.divide(pc.add(length, ALIGNMENT), ALIGNMENT)  # type: ignore[attr-defined]
    widths = pc.min_element_wise(pc.multiply(units, ALIGNMENT), WIDEST)  # type: ignore[attr-defined]
    return pc.if_else(pc.is_valid(array), widths, 0)  # type: ignore[attr-defined]
