"""What the model declares of a setting beside its type, and how that is told to people."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from stac_assets.stac.errors import ConfigurationError


class Mark(Enum):
    """What sets a setting apart."""

    SECRET = "its value is shown nowhere"
    IN_LOADS = "`stac-assets load` and Dagster use it, a dlt script does not"
    IN_DAGSTER = "Dagster alone uses it"
    ARGUMENT = "it is given in Python, and stands in no file"
    FOUND = "it is found, not set"
    OF_ONE_CATALOG = "no catalog takes it from what catalogs have in common"


@dataclass(frozen=True)
class DltKey:
    """The setting is one of dlt's own, and stands where dlt has it.

    Args:
        key: its dotted name; `{}` in it is the destination.
        is_argument: whether an argument or a flag may come before it.
    """

    key: str
    is_argument: bool = False


@dataclass(frozen=True)
class Setting:
    """One setting as the model declares it."""

    name: str
    field: FieldInfo

    @property
    def sentence(self) -> str:
        """What it means, with its unit."""
        return self.field.description or ""

    @property
    def marks(self) -> frozenset[Mark]:
        """What sets it apart."""
        return frozenset(mark for mark in self.field.metadata if isinstance(mark, Mark))

    @property
    def is_secret(self) -> bool:
        """Whether its value must not be shown."""
        return Mark.SECRET in self.marks

    @property
    def dlt_key(self) -> DltKey | None:
        """Where dlt has it; None for a setting of our section."""
        return next((mark for mark in self.field.metadata if isinstance(mark, DltKey)), None)

    @property
    def is_ours(self) -> bool:
        """Whether it stands in our section of the configuration."""
        return self.dlt_key is None and not self.marks & {Mark.ARGUMENT, Mark.FOUND}

    @property
    def is_common(self) -> bool:
        """Whether a catalog that has a name takes it from the section of what catalogs have in common."""
        return self.is_ours and Mark.OF_ONE_CATALOG not in self.marks

    @property
    def is_argument(self) -> bool:
        """Whether it may be given in Python."""
        if self.dlt_key is not None:
            return self.dlt_key.is_argument
        return Mark.FOUND not in self.marks

    @property
    def choices(self) -> tuple[str, ...]:
        """Its values, where they are a few words."""
        return tuple(choice for kind in _parts(self.field.annotation) for choice in _choices(kind))

    @property
    def least(self) -> float | None:
        """The least number that it may be; None where it is no number."""
        found = [*self.field.metadata, *_parts(self.field.annotation)]
        return next((part.ge for part in found if isinstance(part, Ge)), None)  # type: ignore[misc]

    @property
    def most(self) -> float | None:
        """The greatest number that it may be; None where there is none, or it is no number."""
        found = [*self.field.metadata, *_parts(self.field.annotation)]
        return next((part.le for part in found if isinstance(part, Le)), None)  # type: ignore[misc]

    @property
    def bounds(self) -> str:
        """The numbers that it may be, in words; empty where it is no number."""
        if self.least is None:
            return ""
        return f"{self.least:g} or more" if self.most is None else f"{self.least:g} to {self.most:,.0f}"

    @property
    def default(self) -> str:
        """Its default as people write it; empty where there is none."""
        value = self.field.default
        if not isinstance(value, str | int | float | tuple | date) or value == ():
            return ""
        if isinstance(value, tuple):
            return str(list(value)).replace("'", '"')
        if isinstance(value, bool):
            return str(value).lower()
        return f"{value:g}" if isinstance(value, float) else str(value)

    def refusal(self, value: Any) -> ConfigurationError:
        """The error for a value that is of no use."""
        if self.is_secret:
            return ConfigurationError(f"{self.name} cannot be used (its value is not shown)")
        return unusable(self.name, value, self._expected())

    def _expected(self) -> str:
        if isinstance(self.field.default, bool):
            return "true or false"
        if self.bounds:
            return f"a number, {self.bounds}"
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        return "a function" if Mark.ARGUMENT in self.marks else "text"


def unusable(name: str, value: Any, expected: str) -> ConfigurationError:
    """The error for a value of `name` that is of no use, and may be shown."""
    return ConfigurationError(f"{name} is {value!r}; expected {expected}")


def declared(fields: Mapping[str, FieldInfo]) -> dict[str, Setting]:
    """The settings that a model declares, by name."""
    return {name: Setting(name, field) for name, field in fields.items()}


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation and, one below the other, what it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)
    for part in getattr(annotation, "__metadata__", ()):
        yield part


def _choices(kind: Any) -> Iterable[str]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(str(member) for member in kind)
    return get_args(kind) if get_origin(kind) is Literal else ()
