"""The catalog: `results/catalog.db`, all that a library's artifacts say, in one SQLite file.

Derived data: lost, damaged or of another version, it is made again from the artifacts.
"""
