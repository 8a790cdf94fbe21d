"""JSON numbers beyond a double (1e999): valid as text (RFC 8259, section 6), and held by no destination."""

import re
import sys
from array import array

_MAY_BE_HUGE = r"[:,\[ \t\r\n]-?[0-9][0-9.]*[eE]\+?[0-9]{3}|[0-9]{210}"
"""RE2. A double ends at 1.8e308; beyond it, a number has an exponent of three digits or 210 digits before it.

The first characters are what may stand before a number. Digests, in which it may look as if there was one,
would else be found in nearly every page.
"""
_SHORT = 4096
"""Bytes of which `re` needs no longer than Arrow."""
_BEFORE_ARROW = 128 * 1024
"""Bytes of which `re` needs less than the import of Arrow, a tenth of a load of one empty day."""


def may_hold_a_huge_number(text: bytes) -> bool:
    """Whether some number in JSON text may be beyond a double; if not, then none is.

    Every byte that an API sends is looked at, so this lets other threads have the interpreter meanwhile.
    """
    if len(text) <= (_SHORT if "pyarrow" in sys.modules else _BEFORE_ARROW):
        return re.search(_MAY_BE_HUGE.encode(), text) is not None
    import pyarrow as pa  # takes a while, and those who only define assets read no page
    import pyarrow.compute as pc

    offsets = pa.py_buffer(array("q", [0, len(text)]))  # pa.array would import pandas
    texts = pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, pa.py_buffer(text)])
    options = pc.MatchSubstringOptions(_MAY_BE_HUGE)
    return pc.call_function("match_substring_regex", [texts], options)[0].as_py()
