"""Mechanisms that every feature uses: tenancy, permissions, transactions, errors, registry, storage.

Nothing here knows a school's trade: no word of diplomas, masks or transfers.
"""
