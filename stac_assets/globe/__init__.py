"""The globe that maps are drawn of: its land, and the part of it in which some boxes lie."""
