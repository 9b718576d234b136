"""What the files would change, computed without writing: the rows of the files compared with those of the school.

Everything here reads in chunks and yields, so that a hundred thousand pupils cost no more memory than ten thousand.
"""
