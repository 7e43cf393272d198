"""Sealing: what leaves the process (session records, attempt cookies) is encrypted first."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# NIST SP 800-38D section 8.2.2: 96 random bits, for at most 2**32 seals with one key.
NONCE_BYTES = 12


class Sealer:
    """AES-256-GCM under keys derived from APP_SECRET_KEY; seals with the newest, opens with any."""

    def __init__(self, secret_keys: tuple[str, ...]) -> None:
        """Take the secrets, newest first, as APP_SECRET_KEY lists them."""
        self._ciphers = [AESGCM(_derive(secret)) for secret in secret_keys]

    def seal(self, plaintext: bytes, *, bound_to: str) -> bytes:
        """Encrypt; the result opens only with the same `bound_to`, so that no sealed value can
        be put in the place of another."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, plaintext, bound_to.encode())

    def open(self, sealed: bytes, *, bound_to: str) -> tuple[bytes, bool] | None:
        """Return the plaintext and whether the newest key sealed it; None if it cannot be opened
        (forged, cut, bound to something else, or sealed with a key that is no longer listed)."""
        nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        for cipher in self._ciphers:
            try:
                plaintext = cipher.decrypt(nonce, ciphertext, bound_to.encode())
            except (InvalidTag, ValueError):
                continue
            return plaintext, cipher is self._ciphers[0]
        return None


def _derive(secret: str) -> bytes:
    # RFC 5869: the secret is long enough to need no salt; `info` ties the key to this use.
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"flask-openid-app seal v1")
    return kdf.derive(secret.encode())
