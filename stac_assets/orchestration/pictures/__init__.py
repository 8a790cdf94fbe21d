"""Pictures for the UI: SVG, drawn here, small enough to be stored with every materialization."""
