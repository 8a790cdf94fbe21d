"""What the notebook `notebooks/explore.py` is made of: queries of stored items, and charts of their answers.

No query takes a whole table along: the destination counts, and of single items some are chosen.
"""
