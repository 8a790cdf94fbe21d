"""What is measured, each task in a process of its own (see `benchmarks.child`).

A task does the same with five items before its clock starts, so that start-up and imports are left out, and
after it has stopped asserts that the right number of distinct items arrived.
"""
