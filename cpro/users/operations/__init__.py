"""What changes accounts and sign-ins: throttling, codes, passwords, sign-ins, parked forms.

These rules span schools (who signs in has no school yet): they receive a platform session and flush it.
"""
