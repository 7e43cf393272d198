"""Whom the app talks to by https: the host that the URL names, by an authority that is trusted."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from auth import Error
from auth.http_client import HttpClient

DAY = timedelta(days=1)
TOKEN = {"Authorization": "Bearer a-secret"}


class Signed(NamedTuple):
    """A certificate, and the key that it is for."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def at(self, path: Path) -> Path:
        pem = serialization.Encoding.PEM
        kind = serialization.PrivateFormat.PKCS8
        path.write_bytes(
            self.certificate.public_bytes(pem)
            + self.key.private_bytes(pem, kind, serialization.NoEncryption())
        )
        return path


def certified(
    host: str, authority: Signed | None = None, *, until: datetime | None = None
) -> Signed:
    """A certificate for a host; its own authority where none is given."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    until = until or datetime.now(UTC) + DAY
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.certificate.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - 30 * DAY)
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .sign(authority.key if authority else key, hashes.SHA256())
    )
    return Signed(certificate, key)


@contextmanager
def served(file: Path) -> Iterator[tuple[str, list[Any]]]:
    """A server with that certificate: its URL, and the headers of the requests that reach it."""
    received: list[Any] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            received.append(self.headers)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # the app hung up, as it should

    server = Server(("127.0.0.1", 0), Answers)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"https://localhost:{server.server_port}/", received
    finally:
        server.shutdown()
        server.server_close()


AUTHORITY, STRANGER = certified("authority.test"), certified("localhost")
REFUSED = {
    "signed by itself": STRANGER,
    "by an authority that nobody trusts": certified("localhost", STRANGER),
    "over": certified("localhost", AUTHORITY, until=datetime.now(UTC) - DAY),
    "for another host": certified("other.test", AUTHORITY),
}


@pytest.fixture(autouse=True)
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One more authority that the environment says is trusted, as inside a company."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY.at(tmp_path / "authority.pem")))


@pytest.mark.parametrize("certificate", REFUSED.values(), ids=REFUSED)
def test_a_host_with_a_bad_certificate_gets_no_token(certificate: Signed, tmp_path: Path) -> None:
    client = HttpClient()
    with served(certificate.at(tmp_path / "server.pem")) as (url, received):
        for method in ("GET", "POST"):
            with pytest.raises(Error, match="SSLError") as raised:
                client.send(method, url, TOKEN)
            assert "a-secret" not in str(raised.value)

    assert received == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_host_with_a_good_one_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    trusted = os.environ["SSL_CERT_FILE"]
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv(variable, trusted)
    good = certified("localhost", AUTHORITY).at(tmp_path / "server.pem")
    with served(good) as (url, received):
        assert HttpClient().send("GET", url, TOKEN).body == b"{}"

    assert received[0]["Authorization"] == TOKEN["Authorization"]


@pytest.mark.parametrize(
    ("environment", "trusted"),
    [
        ({"SSL_CERT_DIR": ":/one:/two"}, "/one"),
        ({"REQUESTS_CA_BUNDLE": "/with:colon.pem"}, "/with:colon.pem"),
        ({"REQUESTS_CA_BUNDLE": " ", "SSL_CERT_FILE": "/ca.pem"}, "/ca.pem"),
        ({"SSL_CERT_DIR": ":"}, True),
    ],
)
def test_the_first_path_that_is_given_is_trusted(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], trusted: str | bool
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    for name, text in environment.items():
        monkeypatch.setenv(name, text)

    assert HttpClient()._verify == trusted
