"""Secrets in the settings: keys, files that hold them, and never a word of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey, RSAKey

from tests.support.settings import problems, read


def pem(private_key: object, password: bytes | None = None) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    return private_key.private_bytes(  # type: ignore[attr-defined, no-any-return]
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def test_the_problem_with_a_secret_does_not_quote_it() -> None:
    lines = problems(
        APP_SECRET_KEY="hunter2",
        AUTH0_CLIENT_SECRET="hunter2 and more",
        SESSION_REDIS_URL="redis://:hunter2@localhost:port/0",
    )

    assert len(lines) == 3
    assert "hunter2" not in "".join(lines)


def test_secret_keys_are_listed_newest_first() -> None:
    settings = read(APP_SECRET_KEY=f"{'new' * 11}, {'old' * 11},")

    assert settings.secret_keys == ("new" * 11, "old" * 11)


SECRET_FILES = {
    "APP_SECRET_KEY": "s" * 40,
    "AUTH0_CLIENT_SECRET": "from-a-file",
    "SESSION_REDIS_URL": "redis://redis:6379/0",
}


def test_secrets_can_come_from_files(tmp_path: Path) -> None:
    for name, value in SECRET_FILES.items():
        (tmp_path / name).write_text(f"{value}\n")

    settings = read(
        APP_SECRET_KEY="",
        AUTH0_CLIENT_SECRET="",
        **{f"{name}_FILE": str(tmp_path / name) for name in SECRET_FILES},
    )

    assert settings.secret_keys == ("s" * 40,)
    assert settings.client_secret == "from-a-file"
    assert settings.session_redis_url == "redis://redis:6379/0"


@pytest.mark.parametrize("name", SECRET_FILES)
@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"], ids=repr)
def test_a_secret_file_without_a_secret_is_one_problem(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)

    [line] = problems(**{name: "", f"{name}_FILE": str(path)})

    assert line.startswith(f"{name}_FILE ")


def test_a_secret_file_holds_its_secret_to_the_same_rules(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("short")

    [line] = problems(APP_SECRET_KEY="", APP_SECRET_KEY_FILE=str(tmp_path / "key"))

    assert line.startswith("APP_SECRET_KEY has a key of 5 characters; it needs at least 32")


def test_a_secret_and_its_file_together_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40)

    [line] = problems(APP_SECRET_KEY_FILE=str(tmp_path / "key"))

    assert line.startswith("APP_SECRET_KEY_FILE and APP_SECRET_KEY are both set")


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (rsa.generate_private_key(65537, 2048), "RS256"),
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ec.generate_private_key(ec.SECP521R1()), "ES512"),
    ],
    ids=["RSA", "P-256", "P-384", "P-521"],
)
def test_a_signing_key_replaces_the_secret(tmp_path: Path, key: object, alg: str) -> None:
    (tmp_path / "key.pem").write_bytes(pem(key))

    settings = read(AUTH0_CLIENT_SECRET="", AUTH0_CLIENT_SIGNING_KEY=str(tmp_path / "key.pem"))

    assert settings.client_signing_key is not None
    assert settings.client_signing_key.alg == alg


def jwk(kind: Any, size: Any, **members: Any) -> bytes:
    return json.dumps(kind.generate_key(size).as_dict(private=True) | members).encode()


def unusable_keys() -> dict[str, bytes]:
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505  # it is to be refused
    usable = ec.generate_private_key(ec.SECP256R1())
    public = usable.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return {
        "an RSA key of 1024 bits": pem(small),
        "a public key": public,
        "a key with a password": pem(usable, b"password"),
        "a key of another kind": pem(ed25519.Ed25519PrivateKey.generate()),
        "a curve without algorithm": pem(ec.generate_private_key(ec.SECP256K1())),
        "no key at all": b"hello",
        "nothing": b"",
        "bytes": b"\xff\x00\xfe",
        "a JWK for encryption": jwk(RSAKey, 2048, use="enc"),
        "a JWK that only verifies": jwk(RSAKey, 2048, key_ops=["verify"]),
        "a JWK with an algorithm for encryption": jwk(RSAKey, 2048, alg="RSA-OAEP"),
        "a JWK with an algorithm that nobody accepts": jwk(RSAKey, 2048, alg="RS1"),
        "a JWK with the algorithm of another curve": jwk(ECKey, "P-256", alg="ES512"),
        "JSON without end": b'{"a":' + b"[" * 100_000,
    }


UNUSABLE_KEYS = unusable_keys()


@pytest.mark.parametrize("content", UNUSABLE_KEYS.values(), ids=UNUSABLE_KEYS)
def test_a_signing_key_that_cannot_be_used_is_one_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)

    [line] = problems(AUTH0_CLIENT_SECRET="", AUTH0_CLIENT_SIGNING_KEY=str(path))

    assert line.startswith("AUTH0_CLIENT_SIGNING_KEY names a")


@pytest.mark.parametrize("name", ["missing.pem", "."], ids=["missing", "folder"])
def test_a_signing_key_that_cannot_be_read_is_one_problem(tmp_path: Path, name: str) -> None:
    [line] = problems(AUTH0_CLIENT_SECRET="", AUTH0_CLIENT_SIGNING_KEY=str(tmp_path / name))

    assert line.startswith("AUTH0_CLIENT_SIGNING_KEY names a file that cannot be read")


def test_settings_can_be_printed_without_their_secrets(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    settings = read(
        AUTH0_CLIENT_SIGNING_KEY=str(tmp_path / "key.pem"),
        SESSION_REDIS_URL="redis://:redis-password@localhost/0",
    )

    shown = f"{settings!r} {settings} {settings.client_signing_key!r}"

    for secret in ("the-client-secret", "kkkk", "redis-password", "ECKey"):
        assert secret not in shown
