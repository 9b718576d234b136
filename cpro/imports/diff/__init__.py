"""What the files would change, computed without writing: the records of the files compared with the rows of the school.

Everything here reads in chunks and yields, so that a hundred thousand pupils cost no more memory than ten thousand.
"""
