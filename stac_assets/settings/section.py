"""Where settings stand: a table of dlt's configuration, and how its names are written in the environment."""

from dataclasses import dataclass

CREDENTIALS = "credentials"
"""The table below a section that holds credentials of other kinds than a bearer token."""
CATALOGS = "catalogs"
"""The table below the common section that holds a section for each catalog that has a name."""


@dataclass(frozen=True)
class Section:
    """A table of `.dlt/config.toml` and `.dlt/secrets.toml` that holds the settings of one catalog.

    Args:
        key: the table's dotted name.
    """

    key: str = "sources.pystac_client_source"

    @property
    def name(self) -> str:
        """The last part of its name: that of the catalog, where it is the section of one."""
        return self.key.rpartition(".")[2]

    @property
    def credentials(self) -> str:
        """The dotted name of the table of credentials below it."""
        return f"{self.key}.{CREDENTIALS}"

    @property
    def env_prefix(self) -> str:
        """How the environment variables of its settings begin."""
        return self.key.replace(".", "__").upper() + "__"

    def variable(self, setting: str) -> str:
        """The environment variable of a setting."""
        return self.env_prefix + setting.upper()

    def where(self, setting: str, file: str) -> str:
        """Where a user sets a setting, for an error message: in a file, or in the environment."""
        if setting == CREDENTIALS:
            return f"[{self.credentials}] in {file}"
        variable = self.variable(setting)
        return f"`{setting}` under [{self.key}] in {file}, or as the environment variable {variable}"

    def of_catalog(self, name: str) -> "Section":
        """The section of a catalog that has a name."""
        return Section(f"{self.key}.{CATALOGS}.{name}")


COMMON = Section()
"""The section of the unnamed catalog, and of what named ones have in common."""
SECTION = COMMON.key
ENV_PREFIX = COMMON.env_prefix
