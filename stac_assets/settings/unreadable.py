"""A settings file that dlt cannot read: why not, in a line.

dlt reads UTF-8 alone, and tells of a byte order mark as of an empty key. Editors and shells of Windows write
such marks, and UTF-16, without a word.
"""

import codecs
from collections.abc import Iterable
from pathlib import Path

from stac_assets.stac.errors import ConfigurationError

_REMEDY = "which dlt does not read; save it as UTF-8 without a byte order mark"
_MARKS = {
    codecs.BOM_UTF8: "begins with a byte order mark (BOM)",
    codecs.BOM_UTF16_LE: "is in UTF-16",
    codecs.BOM_UTF16_BE: "is in UTF-16",
}


def unreadable(paths: Iterable[str], cause: str) -> ConfigurationError:
    """The error for settings files that dlt could not read.

    Args:
        paths: where it looked; not all of them need be there.
        cause: what it said.
    """
    there = [path for path in map(Path, paths) if path.is_file()]
    for path in there:
        if fault := _fault(path):
            return ConfigurationError(f"{path} {fault}")
    names = " or ".join(map(str, there))
    return ConfigurationError(f"{names} is no TOML: {' '.join(cause.split())}")


def _fault(path: Path) -> str | None:
    """What is wrong with the encoding of a file; None where nothing is."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"cannot be opened ({error.strerror})"
    for mark, fault in _MARKS.items():
        if data.startswith(mark):
            return f"{fault}, {_REMEDY}"
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return f"is not in UTF-8 (line {line} has the byte 0x{data[error.start]:02x}), {_REMEDY}"
    return f"is in UTF-16, {_REMEDY}" if b"\0" in data else None
