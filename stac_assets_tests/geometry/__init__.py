"""Tests of the column `geom`, which geo tools read as it is."""
