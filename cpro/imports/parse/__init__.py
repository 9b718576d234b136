"""From files to records: what was sent is unpacked, recognised and read, each line judged by itself.

Pure: neither the database nor the web is known here.
"""
