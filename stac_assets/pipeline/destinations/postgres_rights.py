"""What a role may do with the schemas of a dataset in PostgreSQL, and what its administrator has to run."""

from collections.abc import Sequence
from typing import Any

from stac_assets.pipeline.destinations.items_view import quoted
from stac_assets.pipeline.errors import StoreFailed

VERSION = "_dlt_version"
"""The table without which dlt has made nothing in a schema."""


def has_schema(client: Any) -> bool:
    """Whether the schema that a client works in is there, whoever owns it.

    dlt asks `information_schema`, which shows a role the schemas alone that it owns.
    """
    found = client.execute_sql(
        "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", client.dataset_name
    )
    return bool(found)


def check_rights(client: Any) -> None:
    """Refuse to load as a role that cannot store into the dataset, or stage rows for it.

    Args:
        client: dlt's, which is open.

    Raises:
        StoreFailed: the message says which statements an administrator has to run.
    """
    statements = list(_lacking(client))
    if statements:
        role = client.execute_sql("SELECT current_user")[0][0]
        told = "; ".join(statement.format(role=quoted(role)) for statement in statements)
        raise StoreFailed(
            f"the role {role} lacks rights in this PostgreSQL database; whoever may has to run: {told}. "
            "Nothing was fetched, the tables are as they were"
        )


def _lacking(client: Any) -> Sequence[str]:
    """The statements that give the role what it lacks, with a place for its name."""
    names = [client.dataset_name, client.staging_dataset_name]
    found = client.execute_sql(
        "SELECT name, n.oid IS NOT NULL, has_database_privilege(current_database(), 'CREATE'), "
        "coalesce(has_schema_privilege(n.oid, 'USAGE'), false), "
        "coalesce(has_schema_privilege(n.oid, 'CREATE'), false), "
        "EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = n.oid AND relname = %s) "
        "FROM unnest(%s) AS names(name) LEFT JOIN pg_catalog.pg_namespace AS n ON nspname = name",
        *(VERSION, names),
    )
    statements: list[str] = []
    for name, is_there, may_make, may_use, may_fill, is_filled in found or ():
        schema = quoted(name)
        if not is_there:
            if not may_make:
                statements.append(f"CREATE SCHEMA {schema} AUTHORIZATION {{role}}")
        elif not may_use or not (may_fill or is_filled):
            statements.append(f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {{role}}")
    return statements
