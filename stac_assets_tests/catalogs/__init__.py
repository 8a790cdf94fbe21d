"""Tests of several catalogs in one project."""
