"""How the command line is parsed: what the standard library's parser does not do by itself."""

import argparse
import gc
import importlib.metadata
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

AddFlags = Callable[[argparse.ArgumentParser], Any]


class CommandParser(argparse.ArgumentParser):
    """The parser of a command, whose flags are made when it is the command that was given.

    So the help of all commands does not wait for the declaration of the settings, from which flags come.

    Args:
        add_flags: adds them.
        add_common: adds those that all commands have.
        others: what `argparse.ArgumentParser` takes.
    """

    def __init__(self, *, add_flags: AddFlags, add_common: AddFlags, **others: Any) -> None:
        super().__init__(**others)
        self._adding = (add_flags, add_common)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # type: ignore[override]
        for add in self._adding:
            add(self)
        return super().parse_known_args(args, namespace)


class Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        try:
            version = importlib.metadata.version("stac-assets")
        except importlib.metadata.PackageNotFoundError:
            version = "(not installed)"
        print(f"stac-assets {version}")
        parser.exit()


def command(module: str, name: str = "run") -> Callable[[argparse.Namespace], int]:
    """A command, whose module is imported only when it is run."""
    return lambda arguments: _imported(module, name)(arguments)


def _imported(module: str, name: str) -> Any:
    """What a module calls `name`. Modules are not garbage: looking for some takes an eighth of the import."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return getattr(import_module(module), name)
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


def add_catalog(parser: argparse.ArgumentParser) -> None:
    """Give a command the flag that names a catalog."""
    parser.add_argument(
        "--catalog", metavar="NAME", help="configured catalog (default: the only one there is)"
    )
