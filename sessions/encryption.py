"""What leaves the process (session records, cookies, `state`) is encrypted first."""

from __future__ import annotations

import base64
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# NIST SP 800-38D section 8.2.2: 96 random bits, for at most 2**32 messages with one key.
NONCE_BYTES = 12


class Encryptor:
    """AES-256-GCM and HMAC-SHA-256 under keys derived from APP_SECRET_KEY.

    Encrypts with the newest key, decrypts with any that is listed.
    """

    def __init__(self, secret_keys: tuple[str, ...]) -> None:
        """Take the secrets, newest first, as APP_SECRET_KEY lists them."""
        self._ciphers = [AESGCM(_derive(secret, b"encrypt")) for secret in secret_keys]
        self._digest_keys = [_derive(secret, b"digest") for secret in secret_keys]

    def encrypt(self, plaintext: bytes, *, bound_to: str) -> bytes:
        """Encrypt; the result decrypts only with the same `bound_to`, so that no encrypted value
        can be put in the place of another."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, plaintext, bound_to.encode())

    def decrypt(self, data: bytes, *, bound_to: str) -> tuple[bytes, bool] | None:
        """Return the plaintext and whether the newest key encrypted it; None if it cannot be
        decrypted (forged, cut, bound to something else, or by a key that is no longer listed)."""
        nonce, ciphertext = data[:NONCE_BYTES], data[NONCE_BYTES:]
        for cipher in self._ciphers:
            try:
                plaintext = cipher.decrypt(nonce, ciphertext, bound_to.encode())
            except (InvalidTag, ValueError):
                continue
            return plaintext, cipher is self._ciphers[0]
        return None

    def encrypt_text(self, plaintext: bytes, *, bound_to: str) -> str:
        """Encrypt to base64url, for cookies and URLs."""
        return base64url(self.encrypt(plaintext, bound_to=bound_to))

    def decrypt_text(self, text: str, *, bound_to: str) -> bytes | None:
        """Return the plaintext of what `encrypt_text` returned, None if it cannot be decrypted."""
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return None
        decrypted = self.decrypt(data, bound_to=bound_to)
        return decrypted[0] if decrypted else None

    def digests(self, text: str) -> list[str]:
        """Return a keyed hash of a text for each key, newest first: a reader of the store cannot
        find a text by trying. 128 bits, in 22 characters."""
        digests = (hmac.digest(key, text.encode(), "sha256") for key in self._digest_keys)
        return [base64url(digest[:16]) for digest in digests]


def base64url(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _derive(secret: str, use: bytes) -> bytes:
    # RFC 5869: the secret is long enough to need no salt; `info` ties the key to this use.
    info = b"flask-openid-app v2 " + use
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret.encode())
