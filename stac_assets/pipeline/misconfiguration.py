"""Says in one line what is wrong with the configuration of the destination.

dlt says where it has looked for every field of a credential, in sixty lines and more. Values are not shown.
"""

from collections.abc import Iterator
from difflib import get_close_matches

from dlt import destinations
from dlt.common.configuration.exceptions import (
    ConfigFieldMissingException,
    FieldLookupTraces,
    InvalidNativeValue,
    LookupTrace,
    LookupTraces,
    ValueNotSecretException,
)
from dlt.common.destination.exceptions import UnknownDestinationModule
from dlt.common.exceptions import MissingDependencyException

CREDENTIALS = "credentials"
SECRETS_FILE, CONFIG_FILE = ".dlt/secrets.toml", ".dlt/config.toml"


def misconfiguration(error: Exception, destination: str) -> str | None:
    """What to mend, if an error of dlt's is about the configuration; else None.

    Args:
        error: what dlt raised.
        destination: the name in the settings.
    """
    match error:
        case UnknownDestinationModule():
            return _unknown(destination)
        case ConfigFieldMissingException():
            return _lacking(error, destination)
        case InvalidNativeValue():
            names = ", ".join(error.spec.get_resolvable_fields())
            return (
                f"the credentials of {destination} cannot be read: they are no URL of its driver's, and "
                f"no table with {names}. Set them under [destination.{destination}] in {SECRETS_FILE}"
            )
        case ValueNotSecretException():
            return f"{error.key} stands in {error.provider_name}; dlt takes it from {SECRETS_FILE} only"
        case MissingDependencyException():
            needed = " ".join(f"'{name}'" for name in error.dependencies)
            return f"{destination} needs: pip install {needed} (in a clone with --constraint constraints.txt)"
        case _:
            return None


def _unknown(destination: str) -> str:
    near = get_close_matches(destination, destinations.__all__)
    told = f"near matches: {', '.join(near)}" if near else "dlt has duckdb, postgres, filesystem and others"
    return (
        f"there is no destination {destination!r}; {told}. Set `destination` under [pipeline] "
        f"(PIPELINE__DESTINATION), or a `destination_type` under [destination.{destination}]"
    )


def _lacking(error: ConfigFieldMissingException, destination: str) -> str:
    sections: dict[str, list[str]] = {}
    for section, name in _missing(error.traces, f"destination.{destination}"):
        sections.setdefault(section, []).append(name)
    told = []
    for section, names in sections.items():
        listed = ", ".join(names)
        if CREDENTIALS in section.split("."):
            told.append(f"{CREDENTIALS} ({listed}); put them under [{section}] in {SECRETS_FILE}")
        else:
            file = SECRETS_FILE if CREDENTIALS in names else CONFIG_FILE
            told.append(f"{listed}, which belongs under [{section}] in {file}")
    return f"{destination} needs {', and '.join(told)}"


def _missing(traces: FieldLookupTraces, section: str) -> Iterator[tuple[str, str]]:
    """Section and name of each missing field; of alternatives the first."""
    for name, found in traces.items():
        nested = next((trace for trace in found if isinstance(trace, LookupTraces)), None)
        if nested is not None:
            yield from _missing(nested.traces, f"{section}.{name}")
            continue
        looked = [".".join(trace.sections) for trace in found if isinstance(trace, LookupTrace)]
        ours = [place for place in looked if place.startswith("destination.")]
        yield max(ours, key=len, default=section), name
