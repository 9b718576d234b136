"""Readers of the ministry's files: SIECLE (`BEE_…`) and STS-Web (`STS_EDT`).

No specification of these exports is public; the readers rely on what several importers and published samples agree on.
VERSION is never checked, the order of children is not relied upon, an empty element counts as an absent one.
"""
