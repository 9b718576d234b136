"""From files to records: unpack, recognise and read the files, checking each line on its own.

Pure: independent of the database and the web.
"""
