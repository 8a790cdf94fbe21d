"""How fast and how small a load is, beside its peers and against the targets; see benchmarks/README.md."""
