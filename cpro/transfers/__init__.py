"""Transfers: copies of a pupil's records from the school they left to the school they joined.

Words: a *transfer* joins one pupil of the school left (A) to the same pupil of the school joined (B); each school has
its own *side* of it, under the ordinary filter. Invariants: a record is copied once, whatever is interrupted or
repeated; only the school joined is written to; the school left keeps its own.
"""
