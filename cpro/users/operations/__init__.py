"""Operations on accounts and sign-ins: throttling, codes, passwords, sign-ins, parked forms.

These rules span schools (a person signing in has no school yet): they receive a platform session and flush it.
"""
