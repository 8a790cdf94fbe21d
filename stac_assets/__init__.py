"""Mirror a STAC API into database tables, exactly, with dlt and Dagster."""
