"""Secrets are sent, and seen nowhere else: every kind, through every door, on every path, at DEBUG level."""

import gzip
import json
import logging
import os
import re
import subprocess
import sys
import traceback
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote

import dagster as dg
import dlt
import duckdb
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from stac_assets.catalog import Catalog
from stac_assets.definitions import build_definitions
from stac_assets.pipeline.load import load
from stac_assets.settings import ENV_PREFIX, Settings, read_settings
from stac_assets.source import pystac_client_source
from stac_assets.source.request import LoadRequest
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.errors import StacError
from stac_assets.stac.windows import parse_day
from stac_assets_tests.asking import interval_of
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.loads import QUICK, ids, rows
from stac_assets_tests.mcp.assistant import asked, assistant
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request
from stac_assets_tests.token_server import TokenServer

STATIC = "cnry-static/0f3a+b=="
SIGNATURE = "cnry-signature/77c1+e="
ECHO = "what was asked"
RANGE = {"dagster/asset_partition_range_start": "c1|2024-01-01"}
DAYS = {"start_date": "2024-01-01", "collections": '["c1"]'}


@dataclass(frozen=True)
class Identified:
    """One way to sign: what stands in the secrets file, which secrets that are, and how they are sent."""

    credentials: dict[str, str]
    secrets: tuple[str, ...]
    sent: tuple[str, ...]
    """What of a request to the API holds a secret."""
    tokens: tuple[str, ...] = ()
    """Issued by the token URL, which is added to the credentials."""
    query: str = ""
    """What a redirect or an error repeats of the query."""


def basic(user: str, password: str) -> str:
    return b64encode(f"{user}:{password}".encode()).decode()


PARAMETER, USER, PASSWORD = "cnry-parameter/5b1d+c&=", "cnry-user-9e42", "cnry-pass:1c77/é"
HEADER, CLIENT = "cnry-header/8d20+f==", "cnry-client-secret/3a6e+="
TOKENS = tuple(f"cnry-issued-{number}/4be1+=" for number in range(40))
BEARER = "cnry-bearer.eyJ/2f9c+d=="

WAYS = {
    "bearer": Identified({"api_key": BEARER}, (BEARER,), (f"Bearer {BEARER}",)),
    "parameter and basic": Identified(
        {"api_key": PARAMETER, "api_key_parameter": "key", "username": USER, "password": PASSWORD},
        (PARAMETER, USER, PASSWORD, basic(USER, PASSWORD)),
        (f"Basic {basic(USER, PASSWORD)}", PARAMETER),
        query="key=" + quote(PARAMETER, safe=""),
    ),
    "header and OAuth": Identified(
        {"api_key": HEADER, "api_key_header": "X-Api-Key", "client_id": "me", "client_secret": CLIENT},
        (HEADER, CLIENT, *TOKENS),
        (HEADER, f"Bearer {TOKENS[0]}"),
        TOKENS,
    ),
}


# What an API can do -------------------------------------------------------------------------------


def day(number: int) -> Callable[[Request], bool]:
    """The requests for the items of one day."""
    return lambda request: f"2024-01-{number:02}T00:00:00Z/" in interval_of(request)


@dataclass
class World:
    """A project folder, an API that behaves badly on most days, and everything that is said meanwhile."""

    api: StacApi
    other: StacApi
    way: Identified
    said: list[str] = field(default_factory=list)

    good_days = (1, 2)
    last_day = 12

    def misbehave(self) -> None:
        """Do on each day something else; the first two are loaded in the end."""
        query = f"{self.way.query}&sig={quote(SIGNATURE, safe='')}"
        with StacApi() as closed:
            nowhere = closed.url
        self.echo(
            lambda it: day(1)(it) and "sig" in it.query, status=503, times=1, headers={"Retry-After": "0"}
        )
        self.api.fault(day(2), drop=True)
        self.echo(day(3), status=401)
        self.echo(day(4), status=500, page=b"<!doctype html><p>")
        self.echo(day(5), page=b"<!doctype html><p>")
        self.echo(day(6), status=302, headers={"Location": f"{self.other.url}/moved?{query}"})
        self.echo(day(7), status=307, headers={"Location": f"{nowhere}/moved?{query}"})
        self.echo(day(9), status=403)
        self.echo(day(10), headers={"Content-Encoding": "br"})
        self.echo(day(11), status=400)
        self.echo(day(12), headers={"Broken header": ECHO})
        self.echo("/api", status=404)
        self.other.fault("/moved", times=None, status=400)

    def echo(self, match: Callable[[Request], bool] | str, page: bytes = b"", **more: Any) -> None:
        """Answer with what was asked, as debugging servers do."""

        def takes(request: Request) -> bool:
            found = request.path == match if isinstance(match, str) else match(request)
            if found:
                end = "&".join(request.target.split("&")[-2:])
                told = [request.headers.get("authorization"), STATIC, f"/?{end}", self.way.credentials]
                fault.body = page + json.dumps({"you sent": [*told, request.headers]}).encode()
                if ECHO in headers.values():
                    fault.headers = dict.fromkeys(headers, " ".join(filter(None, told[:2])))
            return found

        fault = self.api.fault(takes, **{"times": None, **more})
        headers = fault.headers

    def sign(self, page: Any, request: Request) -> Any:
        """Sign every `next` link; on one day let it lead elsewhere."""
        for link in page["links"]:
            if link["rel"] == "next":
                link["href"] += f"&sig={quote(SIGNATURE, safe='')}"
                if day(8)(request):
                    link["href"] = link["href"].replace(self.api.url, self.other.url)
        return page

    def request(self, settings: Settings) -> LoadRequest:
        return LoadRequest(
            ENDPOINTS["collection_items"], tuple(settings.windows("c1", *map(self.date, (1, self.last_day))))
        )

    def date(self, number: int) -> Any:
        return parse_day(f"2024-01-{number:02}", "day")

    def tell(self, error: BaseException) -> None:
        """Note all that an error says, with every error that it came from."""
        self.said += traceback.format_exception(error)
        chain: BaseException | None = error
        while chain is not None:  # dlt's trace follows those that `from None` hides, too
            self.said += [repr(chain), str(chain)]
            chain = chain.__cause__ or chain.__context__


class Recorder(logging.Handler):
    """Keeps every record, formatted with its traceback."""

    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(f"{record.name}: {self.format(record)}")


@pytest.fixture
def recorded() -> Iterator[list[str]]:
    """All that any logger says, at DEBUG level."""
    said: list[str] = []
    recorder = Recorder(said)
    known = [it for it in logging.root.manager.loggerDict.values() if isinstance(it, logging.Logger)]
    before = [(logger, logger.level) for logger in (logging.root, *known)]
    for logger, _ in before:
        logger.setLevel(logging.DEBUG)
        if logger is logging.root or not logger.propagate:
            logger.addHandler(recorder)
    yield said
    for logger, level in before:
        logger.setLevel(level)
        logger.removeHandler(recorder)


@pytest.fixture(params=list(WAYS))
def world(
    request: pytest.FixtureRequest,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    recorded: list[str],
) -> Iterator[World]:
    way = WAYS[request.param]
    with ExitStack() as servers:
        api, other = (servers.enter_context(StacApi()) for _ in range(2))
        credentials = dict(way.credentials)
        if way.tokens:
            issuer = servers.enter_context(TokenServer(tokens=way.tokens))
            credentials["token_url"] = issuer.url + "/token"
        lines = ["[sources.pystac_client_source]", f'base_url = "{api.url}"']
        lines += ["[sources.pystac_client_source.headers]", f'X-Static = "{STATIC}"']
        lines += ["[sources.pystac_client_source.credentials]"]
        lines += [f'{name} = "{value}"' for name, value in credentials.items()]
        secrets = project / ".dlt" / "secrets.toml"
        secrets.write_text("\n".join(lines), encoding="utf-8")
        given = {
            "base_url": api.url,
            "page_size": 2,
            **DAYS,
            **QUICK,
            "end_date": f"2024-01-{World.last_day}",
        }
        for name, value in given.items():
            monkeypatch.setenv(ENV_PREFIX + name.upper(), str(value))
        monkeypatch.setenv("RUNTIME__LOG_LEVEL", "DEBUG")
        enter_project(project, monkeypatch)
        for number in range(1, World.last_day + 1):
            for item in ("a", "b", "c"):
                api.put(make_item(f"{item}{number}", datetime=f"2024-01-{number:02}T10:00:00Z"))
        found = World(api, other, way, recorded)
        api.on_page = found.sign
        found.misbehave()
        yield found
        secrets.unlink()


TWO_WAYS = pytest.mark.parametrize("world", ["parameter and basic", "header and OAuth"], indirect=True)
"""A token that was issued goes the way of a bearer token that is configured."""


# Where a secret could be seen -----------------------------------------------------------------------


def written(secret: str) -> set[str]:
    """How a secret may be written: as it is, in a URL, in JSON, in base64."""
    octets = secret.encode()
    coded = [encode(octets).decode() for encode in (b64encode, urlsafe_b64encode)]
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), *coded}
    return found | {json.dumps(secret)[1:-1], repr(secret)[1:-1], *(code.rstrip("=") for code in coded)}


def texts_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, and what is packed in it."""
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            yield str(path), content
            with suppress(OSError, EOFError):
                yield f"{path} (unpacked)", gzip.decompress(content)
            if path.suffix == ".duckdb":  # compresses what it holds
                with duckdb.connect(str(path), read_only=True) as database:
                    for schema, table in database.execute(
                        "SELECT table_schema, table_name FROM information_schema.tables"
                    ).fetchall():
                        held = database.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall()
                        yield f"{path}: {schema}.{table}", repr(held).encode()


def seen(secrets: Iterable[str], texts: Iterable[tuple[str, bytes]]) -> list[str]:
    """Where a secret is written, and which."""
    forms = {form.encode() for secret in secrets for form in written(secret)}
    pattern = re.compile(b"|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
    return [
        f"{found[0].decode()} in {where}: {text[max(0, found.start() - 200) : found.end() + 60]!r}"
        for where, text in texts
        for found in pattern.finditer(text)
    ]


def spoken(capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What was written to stdout and stderr."""
    captured = capfd.readouterr()
    return captured.out, captured.err


def assert_unseen(world: World, folder: Path, *outputs: str) -> None:
    secrets = (*world.way.secrets, STATIC, SIGNATURE)
    heard = [(f"said {number}", text.encode()) for number, text in enumerate((*world.said, *outputs))]
    files = [(where, text) for where, text in texts_of(folder) if not where.endswith("secrets.toml")]
    assert len(files) > 10 and len(heard) > 10
    assert seen(secrets, [*heard, *files]) == []


def assert_sent(world: World) -> None:
    """Each secret was on the wire, and each path was gone, or else the canary sings for nothing."""
    wire = "\n".join(
        unquote(f"{request.target} {list(request.headers.values())}") for request in world.api.requests
    )
    for secret in (*world.way.sent, STATIC, SIGNATURE):
        assert secret in wire
    assert not seen([*world.way.secrets, STATIC], [("", repr(world.other.requests).encode())])
    assert [request.path for request in world.other.requests].count("/moved") > 0
    assert sum(fault.used == 0 for fault in world.api.faults) <= 1, "a path was not gone (/api is another)"


# The doors ----------------------------------------------------------------------------------------


def test_a_load_shows_no_secret(world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = read_settings()
    result = load(world.request(settings), Catalog(settings))
    assert {failed.window.start.day for failed in result.failed} == {*range(3, World.last_day + 1)}
    for failed in result.failed:
        assert failed.error is not None
        world.tell(failed.error)
    with pytest.raises(StacError) as caught:
        result.raise_on_failures()
    world.tell(caught.value)
    assert_sent(world)
    assert len(ids("collection_items")) == 6

    load(LoadRequest(ENDPOINTS["landing_pages"]), Catalog(settings))
    assert {row["status"] for row in rows("landing_pages")} == {None, 200, 404}
    world.api.__exit__(None, None, None)
    with pytest.raises(StacError) as caught:
        load(world.request(settings), Catalog(settings))
    world.tell(caught.value)
    world.api.__enter__()

    said = "\n".join(world.said)
    assert "***" in said and "items?… HTTP/1.1" in said and "attempt 1 failed" in said
    assert repr(settings) and str(result)
    assert_unseen(world, tmp_path, *spoken(capfd), repr(settings), repr(settings.api), repr(result.failed))


@TWO_WAYS
def test_a_materialization_shows_no_secret(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "dagster-home"
    home.mkdir()
    logs = {"python_logs": {"managed_python_loggers": ["root"], "python_log_level": "DEBUG"}}
    with dg.instance_for_test(temp_dir=str(home), overrides=logs) as instance:
        definitions = build_definitions(read_settings())
        result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey("collection_items")],
            tags={**RANGE, "dagster/asset_partition_range_end": f"c1|2024-01-{World.last_day}"},
            raise_on_error=False,
        )
        told = [repr(record) for record in instance.all_logs(result.run_id)]
    assert not result.success
    assert any("urllib3" in line or "items?… HTTP/1.1" in line for line in told)
    assert any("attempt 1 failed" in line for line in told)
    assert_sent(world)
    assert len(ids("collection_items")) == 6
    assert_unseen(world, tmp_path, *spoken(capfd), *told)


def test_the_command_shows_no_secret(world: World, tmp_path: Path) -> None:
    code = "import logging, sys; logging.basicConfig(level=logging.DEBUG); " + (
        "from stac_assets.cli.main import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", code, "load", "-vv", "--resource", "collection_items"]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "***" in done.stderr and "DEBUG:urllib3.connectionpool:" in done.stderr
    assert_sent(world)
    assert len(ids("collection_items")) == 6
    world.said += [*done.stdout.splitlines(), *done.stderr.splitlines()]
    assert_unseen(world, tmp_path)


@TWO_WAYS
def test_a_dlt_script_shows_no_secret(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """dlt writes a trace of its own, with the configuration that it resolved and every error in a chain."""

    def run(last: int) -> None:
        pipeline = dlt.pipeline("script", destination="duckdb", dataset_name="stac")
        source = pystac_client_source(end_date=f"2024-01-{last:02}").with_resources("collection_items")
        try:
            pipeline.run(source)
        finally:
            world.said.append(repr(pipeline.last_trace))
            pipeline.drop_pending_packages()

    run(World.good_days[-1])
    for _ in range(2):
        with pytest.raises(PipelineStepFailed) as caught:
            run(World.last_day)
        world.tell(caught.value)
        world.api.__exit__(None, None, None)  # the second time nobody answers
    world.api.__enter__()
    assert_unseen(world, tmp_path, *spoken(capfd))


@TWO_WAYS
def test_an_assistant_is_shown_no_secret(world: World, tmp_path: Path) -> None:
    """By no tool of the MCP server, nor by SQL, of which the last query puts the secrets together itself."""
    load(world.request(read_settings()), Catalog(read_settings()))
    secrets = [each for each in (*world.way.secrets, STATIC) if each not in TOKENS]
    halves = [(s[: len(s) // 2].replace("'", "''"), s[len(s) // 2 :].replace("'", "''")) for s in secrets]
    queries = [
        "SELECT * FROM collection_items",
        "SELECT * FROM _dlt_pipeline_state",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM duckdb_secrets()",
        f"SELECT content FROM read_text('{tmp_path}/project/.dlt/secrets.toml')",
        "SELECT content FROM read_text('/proc/self/environ')",
        "SELECT " + ", ".join(f"'{begin}' || '{end}'" for begin, end in halves),
    ]
    given = {"pipeline_name": "pystac_client_pipeline", "table_name": "collection_items"}
    with assistant(tmp_path / "project", "-vv") as ask:
        tools = ask.tools()
        for name, tool in tools.items():
            known = tool.input_schema["properties"]
            result = ask.call(name, **{key: value for key, value in given.items() if key in known})
            world.said += [repr(result), *(part.text for part in result.content)]
        answers = [repr(ask.call("execute_sql_query", **asked(query))) for query in queries]
        world.said += [*answers, ask.refused("check", catalog=secrets[0])]
    assert "execute_sql_query" in tools and answers[-1].count("***") >= len(secrets)
    world.said += (tmp_path / "mcp.stderr").read_text().splitlines()
    assert_unseen(world, tmp_path)
