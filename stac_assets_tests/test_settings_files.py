"""Settings files that Windows wrote: what dlt cannot read is named, with its cause, in one line."""

import codecs
import subprocess
import sys
from pathlib import Path

import pytest

from stac_assets_tests.commanding import MODULE

TEXT = '[sources.pystac_client_source]\napi_key = "s3cr3t"  # für uns\n'
REMEDY = "which dlt does not read; save it as UTF-8 without a byte order mark"
FAULTS = {
    codecs.BOM_UTF8 + TEXT.encode(): f"begins with a byte order mark (BOM), {REMEDY}",
    TEXT.encode("utf-16"): f"is in UTF-16, {REMEDY}",
    codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"): f"is in UTF-16, {REMEDY}",
    TEXT.replace("ü", "u").encode("utf-16-le"): f"is in UTF-16, {REMEDY}",
    TEXT.encode("latin-1"): f"is not in UTF-8 (line 2 has the byte 0xfc), {REMEDY}",
    f"{TEXT}a = = 1".encode(): "is no TOML: Unexpected character: '=' at line 3 col 4",
}
"""What a file holds, and what is told of it."""


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_a_file_that_dlt_cannot_read_is_named_in_one_line(project: Path, number: int) -> None:
    file = ("secrets.toml", "config.toml")[number % 2]
    command = ("check", "load")[number // 2 % 2]
    (data, told) = list(FAULTS.items())[number]
    (project / ".dlt" / file).write_bytes(data)
    done = subprocess.run([*MODULE, command], cwd=project, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {Path('.dlt', file)} {told}\n"


def test_dagster_is_told_the_same(project: Path) -> None:
    (project / ".dlt" / "config.toml").write_bytes(codecs.BOM_UTF8 + b"[pipeline]\n")
    code = "from stac_assets.definitions import defs"
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True)
    assert ".dlt/config.toml begins with a byte order mark (BOM)" in done.stderr.splitlines()[-1]
    assert "TomlProviderReadException" not in done.stderr
