-- What Redshift has and PostgreSQL does not, made of what PostgreSQL has: types, functions, a catalog view.

-- A text of VARCHAR(MAX) is at most 65,535 bytes long (the manual, "Character types").
CREATE DOMAIN pg_catalog.varchar_max AS varchar
    CONSTRAINT "value too long for type character varying(65535)" CHECK (octet_length(VALUE) <= 65535);

-- SUPER is a type of its own, of which a driver knows nothing: it brings JSON text. A text that is not parsed
-- is refused here; Redshift would keep it as a JSON string.
CREATE TYPE pg_catalog.super;
CREATE FUNCTION pg_catalog.super_in(cstring) RETURNS super IMMUTABLE STRICT LANGUAGE internal AS 'any_in';
CREATE FUNCTION pg_catalog.super_out(super) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'jsonb_out';
CREATE TYPE pg_catalog.super (INPUT = super_in, OUTPUT = super_out, ALIGNMENT = int4, STORAGE = extended);
CREATE CAST (jsonb AS super) WITHOUT FUNCTION;

-- JSON is parsed from a text, which has no more bytes than any other.
CREATE FUNCTION pg_catalog.json_parse(varchar_max) RETURNS super IMMUTABLE STRICT LANGUAGE sql
    AS 'SELECT $1::text::jsonb::super';

-- Geometries are texts here: a view of them can be made and read, and no more.
CREATE FUNCTION pg_catalog.serialized(super) RETURNS varchar IMMUTABLE STRICT LANGUAGE sql
    AS 'SELECT $1::text::varchar';
CREATE FUNCTION pg_catalog.st_geomfromgeojson(varchar) RETURNS text IMMUTABLE STRICT LANGUAGE sql
    AS 'SELECT ''SRID=4326;'' || $1';

CREATE VIEW pg_catalog.svv_redshift_schemas AS
    SELECT current_database()::varchar AS database_name, nspname::varchar AS schema_name FROM pg_namespace;
GRANT SELECT ON pg_catalog.svv_redshift_schemas TO PUBLIC;
