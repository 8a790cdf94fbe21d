"""Types of the common STAC properties, so that a column is right from the first row on.

Sources: the STAC item specification (common metadata) and the extensions named by each prefix. A property
that is not listed takes the type of the first value loaded: numbers are `double`, booleans `bool`, strings
`text`.
"""

from typing import Literal

DataType = Literal["text", "double", "bigint", "bool", "timestamp"]

_BY_TYPE: dict[DataType, str] = {
    "text": """
        title description license platform constellation mission
        grid:code mgrs:latitude_band mgrs:grid_square proj:code sat:orbit_state
        sat:platform_international_designator sar:instrument_mode sar:frequency_band
        sar:observation_direction sci:doi sci:citation version
        processing:level processing:facility processing:lineage order:status order:id storage:platform
        storage:region storage:tier file:checksum label:type label:description pc:type
        landsat:wrs_type landsat:wrs_path landsat:wrs_row landsat:scene_id landsat:collection_category
        landsat:collection_number landsat:correction landsat:product_generated
        s1:product_identifier s1:processing_level s1:orbit_source s1:product_timeliness
        s1:instrument_configuration_ID s2:product_uri s2:product_type s2:processing_baseline
        s2:datatake_id s2:datatake_type s2:datastrip_id
        s2:tile_id s2:granule_id s2:generation_time s2:sequence
    """,
    "double": """
        gsd eo:cloud_cover eo:snow_cover view:off_nadir view:incidence_angle view:azimuth view:sun_azimuth
        view:sun_elevation view:moon_azimuth view:moon_elevation
        sar:center_frequency sar:resolution_range sar:resolution_azimuth sar:pixel_spacing_range
        sar:pixel_spacing_azimuth sar:looks_range sar:looks_azimuth sar:looks_equivalent_number
        pc:density s2:mean_solar_zenith s2:mean_solar_azimuth s2:nodata_pixel_percentage
        s2:reflectance_conversion_factor s2:water_percentage s2:vegetation_percentage
        s2:cloud_shadow_percentage s2:dark_features_percentage s2:degraded_msi_data_percentage
        s2:high_proba_clouds_percentage s2:medium_proba_clouds_percentage s2:not_vegetated_percentage
        s2:saturated_defective_pixel_percentage s2:snow_ice_percentage s2:thin_cirrus_percentage
        s2:unclassified_percentage landsat:cloud_cover_land
    """,
    "bigint": """
        proj:epsg mgrs:utm_zone sat:relative_orbit sat:absolute_orbit file:size pc:count
    """,
    "bool": """
        deprecated s2:degraded
    """,
    "timestamp": """
        published expires unpublished sat:anx_datetime processing:datetime order:date
    """,
}

PROPERTY_TYPES: dict[str, DataType] = {
    name: data_type for data_type, names in _BY_TYPE.items() for name in names.split()
}
