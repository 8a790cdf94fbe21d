"""What is measured, each task in a process of its own (see `benchmarks.child`).

Start-up and imports are left out: tasks for which that matters do the same with five items before their clock
starts. After it has stopped they assert that the right number of distinct items arrived.
"""
