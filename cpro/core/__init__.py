"""Mechanisms shared by every feature: tenancy, permissions, transactions, errors, registry, storage.

Nothing here depends on the business domain: no mention of diplomas, masks or transfers.
"""
