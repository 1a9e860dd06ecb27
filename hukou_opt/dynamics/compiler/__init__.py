"""From the parsed equations of a Vensim model to NumPy code, a thousand times as fast as PySD.

`lower` turns PySD's syntax trees into a graph of array operations, `emit` writes the graph as
straight-line NumPy, `program` keeps what was made. A construct that is not known is refused by
name.
"""
