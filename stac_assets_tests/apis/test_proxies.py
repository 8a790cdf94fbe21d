"""Proxies that the environment names and nobody could use: a line names the variable, cause and remedy."""

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.asking import client
from stac_assets_tests.commanding import MODULE, SETTING

API = "http://stac.invalid/v1"
NEEDS_PACKAGE = pytest.mark.skipif(find_spec("socks") is not None, reason="the package of SOCKS is installed")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@NEEDS_PACKAGE
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4a", "SOCKS5"])
@pytest.mark.parametrize("variable", ["ALL_PROXY", "all_proxy", "HTTP_PROXY"])
def test_socks_without_its_package(monkeypatch: pytest.MonkeyPatch, scheme: str, variable: str) -> None:
    monkeypatch.setenv(variable, f"{scheme}://user:s3cr3t@127.0.0.1:9")
    with pytest.raises(ConfigurationError) as caught:
        client(API).landing.document()
    told = str(caught.value)
    assert told.startswith(f"the environment variable {variable} names '{scheme.lower()}://127.0.0.1:9'")
    assert "pip install 'requests[socks]'" in told and "s3cr3t" not in told


@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        ("socks://u:s3cr3t@127.0.0.1:9", "write its version, as in socks5://"),  # as GNOME sets it
        ("http://", "expected a URL such as http://proxy"),
        ("http://u:s3cr3t@[::1", "expected a URL such as"),
        ("u:s3cr3t@proxy:port", "expected a URL such as"),
        ("http://u:s3cr3t@pro xy:1", "expected a URL such as"),
        ("ftp://u:s3cr3t@proxy", "expected a URL such as"),
    ],
)
def test_what_is_no_proxy(monkeypatch: pytest.MonkeyPatch, proxy: str, told: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ConfigurationError, match="the environment variable ALL_PROXY names") as caught:
        client(API).landing.document()
    assert told in str(caught.value) and "s3cr3t" not in str(caught.value)


@NEEDS_PACKAGE
@pytest.mark.parametrize("command", ["check", "load"])
def test_the_commands_say_so_in_one_line(project: Path, command: str) -> None:
    environment = {**os.environ, "ALL_PROXY": "socks5://127.0.0.1:9", SETTING + "BASE_URL": API}
    environment |= {"NO_PROXY": "", "no_proxy": ""}
    command_line = [*MODULE, command, "--collection", "c1", "--start", "2024-01-01", "--end", "2024-01-01"]
    done = subprocess.run(command_line, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert any("pip install 'requests[socks]'" in line for line in (done.stderr + done.stdout).splitlines())
