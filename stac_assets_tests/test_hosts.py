"""An API at an address or a name that is not usual: it works, or a line says what is wrong with the name."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
import pytest

from stac_assets.catalog import read_catalog
from stac_assets.cli.main import main
from stac_assets.definitions import build_definitions
from stac_assets.stac.errors import StacError
from stac_assets_tests.asking import client, searched
from stac_assets_tests.commanding import QUICK, SETTING
from stac_assets_tests.reading import query
from stac_assets_tests.stac_api import StacApi, make_item

LONG = ".".join(["l" * 60] * 4)
DAY = ["--start", "2024-01-01", "--end", "2024-01-01"]


class Named(StacApi):
    """An API with a name that no name server knows; it is served as a proxy would serve it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    @property
    def url(self) -> str:
        return f"http://{self.name}{self.prefix}"

    def serve(self, http: BaseHTTPRequestHandler) -> None:
        """Answer a request, whose target is a whole URL, as a proxy's are."""
        http.path = urlsplit(http.path)._replace(scheme="", netloc="").geturl()
        super().serve(http)


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.fixture(params=["::1", "stac.münchen.example", "xn--mnchen-3ya.example", LONG, "h_x.example:8080"])
def api(request: pytest.FixtureRequest, project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StacApi]:
    """An API at each of them, in whose project the key is stored for it."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "::1":
        if not has_ipv6():
            pytest.skip("the machine has no ::1")
        served = StacApi()
        served.host = "::1"
        monkeypatch.setenv("NO_PROXY", "::1")
    else:
        served = Named(request.param)
    with served:
        served.token = "s3cr3t"
        served.put(make_item("a"))
        if isinstance(served, Named):
            monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{served.port}")
        for name, value in {**QUICK, "BASE_URL": served.url, "API_KEY": "s3cr3t"}.items():
            monkeypatch.setenv(SETTING + name, value)
        yield served


def test_check_and_load(api: StacApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *DAY]) == 0
    assert main(["load", *DAY]) == 0, capsys.readouterr().err
    assert [row["id"] for row in query("SELECT id FROM pystac_client_data.search")] == ["a"]


def test_dagster(api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING + "COLLECTIONS", "*")
    monkeypatch.setenv(SETTING + "END_DATE", "2024-01-01")
    definitions = build_definitions()
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_implicit_global_asset_job_def()
        for asset, partition in (("collections", None), ("search", "c1|2024-01-01")):
            assert job.execute_in_process(
                instance=instance, asset_selection=[dg.AssetKey(asset)], partition_key=partition
            ).success
        assert instance.get_dynamic_partitions(read_catalog().collection_partitions_name) == ["c1"]


def test_a_relative_link_of_an_international_name_stays_at_home(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Named("stac.xn--mnchen-3ya.example") as api:  # as the API writes its own name
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{api.port}")
        monkeypatch.delenv("http_proxy", raising=False)
        api.token = "s3cr3t"
        for number in range(5):
            api.put(make_item(f"a{number}"))
        asking = client("http://stac.münchen.example/v1", api_key="s3cr3t")
        assert len(searched(asking)) == 5
        seen = {request.headers["host"] for request in api.requests}
        assert seen == {"stac.xn--mnchen-3ya.example"}


@pytest.mark.parametrize("host", ["l" * 64 + ".example", "a..b", ".example", "☃" * 70 + ".example"])
def test_a_name_that_cannot_be_one_is_named(
    project: Path, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    for command in ("check", "load"):
        assert main([command, "--base-url", f"http://{host}/v1", "--collection", "c1", *DAY]) == 1
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
        assert len(lines) == 1 and f"http://{host}/v1 cannot be requested: its host is no name" in lines[0]
    with pytest.raises(StacError, match="no name that DNS could hold"):
        client(f"http://{host}/v1").landing.document()
