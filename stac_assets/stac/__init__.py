"""The STAC floor: everything that is asked of a STAC API. It knows HTTP and the STAC specification only."""
