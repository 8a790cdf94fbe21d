"""Commands of the documentation that a test cannot run: their words are held against what knows them."""

import importlib.metadata
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from stac_assets_tests.conftest import REPOSITORY

BIN = Path(sys.executable).parent
ASSIGNMENT = re.compile(r"\w+=.*")
REQUIREMENT = re.compile(r"(\.|[\w-]+)\[([\w,-]+)\]")
WORDS_OF_PIP = ("--constraint", "--editable", "--upgrade")
REMOTE = {"docker", "helm", "kubectl"}
"""Programs that are not installed here; the files that their commands name have to be there."""


def check_commands(text: str) -> None:
    """Fail where a line of a shell block has a word that its program does not know."""
    for words in _commands(text):
        words = words[1:] if words[0] == "export" else words
        while words and ASSIGNMENT.fullmatch(words[0]):
            del words[0]
        if words:
            _check(Path(words[0]).name, words[1:])


def _commands(text: str) -> Iterator[list[str]]:
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if ">" in words:
            words = words[: words.index(">")]
        if words:
            yield words


def _check(program: str, words: list[str]) -> None:
    match program, words:
        case "make", _:
            targets = {word for word in words if not ASSIGNMENT.fullmatch(word)}
            assert targets <= set(make_targets()), targets
        case "pip", ["install", *rest]:
            _check_requirements(rest)
        case "python", ["-m", "pip", *rest]:
            _check("pip", rest)
        case "pip", ["freeze", "--exclude-editable"]:
            pass
        case "python", ["-m", module, *_]:
            assert importlib.util.find_spec(module), module
        case _ if program in REMOTE:
            for word in words:
                assert not word.startswith("deploy/") or (REPOSITORY / word).exists(), word
        case _:
            _check_options(program, words)


def _check_requirements(words: list[str]) -> None:
    for word in words:
        if found := REQUIREMENT.fullmatch(word):
            name = {".": "stac-assets"}.get(found[1], found[1])
            known = importlib.metadata.metadata(name).get_all("Provides-Extra") or []
            assert set(found[2].split(",")) <= set(known), word
        elif word.endswith(".txt"):
            assert (REPOSITORY / word).exists(), word
        else:
            assert word in (*WORDS_OF_PIP, "stac-assets", "dagster-dg-cli"), word


def _check_options(program: str, words: list[str]) -> None:
    options = [word for word in words if word.startswith("-")]
    place = words.index(options[0]) if options else len(words)
    known = _help(program, *words[:place])
    for option in options:
        assert re.search(rf"(^|[\s,]){re.escape(option)}\b", known), f"{program} has no {option}"


@cache
def _help(program: str, *subcommands: str) -> str:
    done = subprocess.run(
        [str(BIN / program), *subcommands, "--help"],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def make_targets() -> tuple[str, ...]:
    """The targets that the Makefile offers."""
    text = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    (names,) = re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    return tuple(names.split())
