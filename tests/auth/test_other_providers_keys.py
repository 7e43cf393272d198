"""Other providers' habits, second half: their keys, their certificates, their cookies."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from flask import Flask
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from tests.conftest import MakeApp
from tests.support.harness import Browser, Person, Provider, free_port

# 12. Key sets.


def published(provider: Provider) -> dict[str, Any]:
    url = f"{provider.issuer}.well-known/jwks.json"
    key: dict[str, Any] = requests.get(url, timeout=10).json()["keys"][0]
    return key


def test_keys_without_kid_alg_and_use(person: Person, provider: Provider) -> None:
    key = {k: v for k, v in published(provider).items() if k not in ("kid", "alg", "use")}
    provider.lies(at="jwks", times=0, json={"keys": [key]})
    provider.lies(id_token_header={"kid": None})

    person.signs_in()

    assert person.is_signed_in()


def test_keys_of_all_kinds_beside_the_right_one(person: Person, provider: Provider) -> None:
    right = published(provider)
    others = [
        RSAKey.generate_key(2048, {"use": "enc", "kid": right["kid"]}).as_dict(private=False),
        RSAKey.generate_key(2048, {"kid": "another"}).as_dict(private=False),
        ECKey.generate_key("P-256", {"kid": right["kid"]}).as_dict(private=False),
        OKPKey.generate_key("Ed25519").as_dict(private=False),
        OctKey.generate_key(256, {"kid": right["kid"]}).as_dict(),
        {"kty": "AKP", "alg": "ML-DSA-44", "kid": right["kid"], "pub": "AAAA"},
        {"kty": "RSA", "kid": right["kid"], "n": "!", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "kid": 7},
        "surprise",
        {},
    ]
    provider.lies(at="jwks", times=0, json={"keys": [*others, right]})

    person.signs_in()

    assert person.is_signed_in()


@pytest.mark.parametrize("alg", ["ES256", "PS256"])
def test_other_signature_algorithms(person: Person, provider: Provider, alg: str) -> None:
    provider.options(signing_alg=alg)

    person.signs_in()

    assert person.is_signed_in()


def test_keys_that_rotate_without_notice(app: Flask, provider: Provider) -> None:
    Person(Browser(app)).signs_in()
    provider.control("rotate-keys", {"keep_old": False})
    later = Person(Browser(app))

    later.signs_in()

    assert later.is_signed_in()


# 13. A private certificate authority.

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@pytest.fixture
def https_provider(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The issuer of a provider (metadata only) with a certificate of its own, and that file."""
    key, certificate = self_signed("localhost")
    both = tmp_path / "certificate.pem"
    both.write_bytes(key + certificate)
    port = free_port()
    issuer = f"https://localhost:{port}/"
    urls = dict.fromkeys(ENDPOINTS, f"{issuer}x")

    class Metadata(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"issuer": issuer, **urls}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("localhost", port), Metadata)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield issuer, both
    server.shutdown()
    server.server_close()


def self_signed(host: str) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        certificate.public_bytes(Encoding.PEM),
    )


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_private_certificate_authority_is_honoured(
    make_app: MakeApp,
    https_provider: tuple[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    issuer, certificate = https_provider
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(certificate))

    assert Browser(make_app(AUTH0_DOMAIN=issuer)).get("/readyz").status_code == 200


def test_a_certificate_that_nobody_vouches_for_is_refused(
    make_app: MakeApp, https_provider: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)

    response = Browser(make_app(AUTH0_DOMAIN=https_provider[0])).get("/login")

    assert response.status_code == 503


# 14. Cookies ignore ports.


def test_a_neighbours_cookies_are_left_alone(person: Person) -> None:
    person.browser.client.set_cookie("session", "a-neighbours")

    response = person.signs_in()

    assert "session" not in {c.partition("=")[0] for c in response.headers.getlist("Set-Cookie")}
    assert person.browser.cookie("session") == "a-neighbours"
    assert person.is_signed_in()
