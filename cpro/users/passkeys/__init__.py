"""Passkeys (WebAuthn): what a phone, a security key or a computer signs in place of the code of a second factor.

Words: the *relying party* is this site as browsers know it (`party`); a *challenge* is what a key signs, drawn for one
sign-in and used once; a *credential* is one key for one account.
Invariants: an account has a second factor (TOTP, recovery codes) before its first passkey, so that a lost key shuts
nobody out; both go together when it is taken off. Nothing of a credential is secret here: the key never leaves its
device.
"""
