"""The section on components of docs/catalogs.md, done in a guest's project as it stands there."""

import json
import re
from pathlib import Path

import pytest
import yaml

from stac_assets_tests.component.guest import TYPE, Guest
from stac_assets_tests.pages import block, read

PAGE = "docs/catalogs.md"
PYTHON, YAML = (block(PAGE, f"{language} component") for language in ("python", "yaml"))


@pytest.fixture
def guest(project: Path, tmp_path: Path) -> Guest:
    """The guest's project, and an environment that configures nothing."""
    return Guest(tmp_path / "guest")


def test_the_page_can_be_followed(guest: Guest) -> None:
    """Its commands succeed, and Dagster has what its files define, under the names that it gives."""
    for command in block(PAGE, "sh component").splitlines():
        program, *arguments = command.split()
        assert program == "dg"
        guest.dg(*arguments)
    written = guest.defs / "planetary_computer" / "defs.yaml"
    assert len(written.read_text().split()) < len(YAML.split())

    (guest.package / "imagery.py").write_text(PYTHON, encoding="utf-8")
    (subclass,) = re.findall(r"`(guest\.imagery\.\w+)`", read(PAGE))
    guest.define("planetary_computer", YAML.replace(TYPE, subclass))
    guest.dg("check", "defs")
    listed = json.loads(guest.run("dg", "list", "defs", "--json").stdout)
    found = {asset["asset_key"]: asset for asset in listed["assets"]}
    (launched,) = re.findall(r"--assets (\S+)", block(PAGE, "sh component launch"))
    assert found[launched]["group_name"] == yaml.safe_load(YAML)["attributes"]["translation"]["group_name"]
    assert found[launched]["owners"] == [{"team": "imagery"}]
    conditions = {key: asset.get("automation_condition") for key, asset in found.items()}
    assert [key for key, condition in conditions.items() if condition] == ["raw/planetary_computer/item"]
