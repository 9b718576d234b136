"""Compute what the files would change, without writing: compare their records with the rows of the school.

Everything here reads in chunks and yields, so that a hundred thousand pupils take no more memory than ten thousand.
"""
