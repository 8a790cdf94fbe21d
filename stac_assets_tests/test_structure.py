"""What holds of the whole package: nothing is told by its name, no modules import each other in circles."""

import ast
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

import stac_assets
from stac_assets.source.dialects import DIALECTS
from stac_assets.stac.endpoints import ENDPOINTS

PACKAGE = Path(stac_assets.__file__).parent


def compared(module: Path, names: frozenset[str]) -> Iterator[str]:
    """The places in a module where something is compared with one of the names, or matched against it."""
    for node in ast.walk(ast.parse(module.read_text())):
        constants: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            for operator, operand in zip(node.ops, node.comparators, strict=True):
                if isinstance(operator, ast.Eq | ast.NotEq):
                    constants += [node.left, operand]
                elif isinstance(operand, ast.Tuple | ast.List | ast.Set):
                    constants += operand.elts
        elif isinstance(node, ast.MatchValue):
            constants.append(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            constants += node.args if node.func.attr in ("endswith", "startswith") else []
        found = {c.value for c in constants if isinstance(c, ast.Constant) and isinstance(c.value, str)}
        for name in sorted(text for text in found if text.rpartition(".")[2] in names):
            yield f"{module.relative_to(PACKAGE)}:{getattr(node, 'lineno', '?')} compares with {name!r}"


def modules(*rooms: str) -> list[Path]:
    """The modules of some rooms, or of the whole package."""
    return [path for room in rooms or (".",) for path in sorted((PACKAGE / room).rglob("*.py"))]


def test_a_comparison_with_a_name_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    told = {
        'kind == "duckdb"': 1,
        'kind in ("postgres", "other")': 1,
        'kind.endswith(".filesystem")': 1,
        'match kind:\n    case "bigquery": pass': 1,
        'kind = "duckdb"': 0,
        '"duckdb" in config': 0,
    }
    for code, count in told.items():
        (tmp_path / "m.py").write_text(code)
        assert len(list(compared(tmp_path / "m.py", frozenset(DIALECTS)))) == count, code


def test_no_destination_is_told_by_its_name() -> None:
    outside = [path for path in modules() if PACKAGE / "pipeline" / "destinations" not in path.parents]
    assert [place for path in outside for place in compared(path, frozenset(DIALECTS))] == []


def test_no_endpoint_is_told_by_its_name() -> None:
    names = frozenset(ENDPOINTS)
    assert [place for path in modules("source", "pipeline") for place in compared(path, names)] == []


def test_a_dialect_names_a_storage_that_exists() -> None:
    for dialect in DIALECTS.values():
        module, _, name = dialect.storage.partition(":")
        file = PACKAGE.parent / Path(*module.split(".")).with_suffix(".py")
        classes = {node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.ClassDef)}
        assert name in classes, dialect.name


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("stac_assets", exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    while True:  # take away what imports nothing that is left: what cannot be taken away is in circles
        free = {module for module, imported in imports.items() if not imported & imports.keys()}
        if not free:
            break
        for module in free:
            del imports[module]
    assert imports == {}
