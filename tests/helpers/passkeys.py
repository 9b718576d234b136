"""A device that creates passkeys and signs with them, as posted by a browser (WebAuthn, ES256, « none »)."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from collections.abc import Mapping
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

_PRESENT, _VERIFIED, _HAS_CREDENTIAL = 0x01, 0x04, 0x40


class Device:
    """One key, for one site; `counts` is the signature counter it reports, 0 for a device that does not count."""

    def __init__(self, origin: str, *, party_id: str | None = None, counts: bool = True) -> None:
        self.origin, self.party_id, self.counts = origin, party_id or origin.split("//")[1].split(":")[0], counts
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.signed = 0
        #: whether its public key is not a point of its curve
        self.off_the_curve = False

    def make(self, options: Mapping[str, Any], **said: str) -> str:
        """Return the response to the options of a registration."""
        numbers = self.key.public_key().public_numbers()
        y = numbers.y ^ self.off_the_curve
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: y.to_bytes(32, "big")}
        credential = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps(public)
        about = self._about(_HAS_CREDENTIAL) + credential
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": about})
        client = self._client("webauthn.create", options, said)
        return self._answer(
            {"clientDataJSON": bytes_to_base64url(client), "attestationObject": bytes_to_base64url(attestation)}
        )

    def sign(self, options: Mapping[str, Any], **said: str) -> str:
        """Return the response to an authentication's options; `said` replaces what the browser says of the page."""
        self.signed += self.counts
        about, client = self._about(), self._client("webauthn.get", options, said)
        signature = self.key.sign(about + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": bytes_to_base64url(client),
                "authenticatorData": bytes_to_base64url(about),
                "signature": bytes_to_base64url(signature),
            }
        )

    def _about(self, more: int = 0) -> bytes:
        flags = _PRESENT | _VERIFIED | more
        return hashlib.sha256(self.party_id.encode()).digest() + struct.pack(">BI", flags, self.signed)

    def _client(self, kind: str, options: Mapping[str, Any], said: Mapping[str, str]) -> bytes:
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin, **said}).encode()

    def _answer(self, response: Mapping[str, str]) -> str:
        named = bytes_to_base64url(self.id)
        return json.dumps({"id": named, "rawId": named, "type": "public-key", "response": response})
