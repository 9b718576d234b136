"""Passkeys (WebAuthn): what a phone, a security key or a computer signs instead of the second-factor code.

Words: the *relying party* is this site as browsers know it (`party`); a *challenge* is what a key signs, generated for
one sign-in and used once; a *credential* is one key for one account.
Invariants: an account has a second factor (TOTP, recovery codes) before its first passkey, so that losing a key locks
no one out; both are removed together. Nothing in a stored credential is secret: the key never leaves its device.
"""
