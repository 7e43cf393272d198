"""What the session store shows to a thief: nothing; and what a thief can put there: nothing."""

from __future__ import annotations

import hashlib
import pickle
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from sessions import Encryptor
from tests.conftest import MakeApp, PersonAt
from tests.support.harness import ADA, APP_SECRET_KEY, BEN, Person
from tests.support.session_store import ref_of, session_cookie

ENCRYPTED = (
    "6AaSCOznnl1tXOtAaA5mITN7NuWElk0qQyld8hQEudln/ukQfC70GoThAlZQoI39T0Kc1o38SInAFLeLmXrEajqQm2c="
)


@pytest.fixture
def stored_bytes(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[[], bytes]:
    """All that lies in the store, names included."""

    def of_redis() -> bytes:
        from redis import Redis

        with Redis.from_url(request.getfixturevalue("redis_url")) as client:
            keys = client.keys()
            return b"".join(keys) + b"".join(
                b"".join(client.zrange(key, 0, -1)) if client.type(key) == b"zset"
                else client.get(key) or b""
                for key in keys
            )  # fmt: skip

    def of_sqlite() -> bytes:
        return b"".join(path.read_bytes() for path in tmp_path.glob("sessions.sqlite3*"))

    return of_redis if engine == "redis" else of_sqlite


def test_the_store_shows_no_token_no_person_and_no_session_id(
    engine: str, stored_bytes: Callable[[], bytes], app: Flask, person: Person
) -> None:
    _, session_id, _ = session_cookie(person.signs_in())
    claims = person.sees("/profile", headers={"Accept": "application/json"}).json
    records: Any = app.session_interface.records  # type: ignore[attr-defined]  # it is ours
    [session] = records.all_with(ref_of(app, ADA))
    tokens = session.data["auth"]["token_sets"][""]

    stored = stored_bytes()

    assert len(stored) > 500
    secrets = [session_id, ADA, claims["sid"], claims["name"], claims["email"], claims["nonce"]]
    secrets += [tokens["access_token"], tokens["refresh_token"], session.data["auth"]["id_token"]]
    for form in (stored, *decompressed(stored)):
        for secret in secrets:
            assert secret.encode() not in form


def test_a_record_in_the_place_of_another_one_is_decrypted_for_nobody(
    app: Flask, person_at: PersonAt
) -> None:
    ada, ben = person_at(app), person_at(app)
    ada.signs_in(ADA)
    ben.signs_in(BEN)
    records: Any = app.session_interface.records  # type: ignore[attr-defined]  # it is ours
    [of_ada] = records.all_with(ref_of(app, ADA))
    [of_ben] = records.all_with(ref_of(app, BEN))

    records.store.delete(of_ben.key)
    records.store.create(of_ben.key, of_ada.record, [])

    assert not ben.is_signed_in()
    assert ada.is_signed_in()


def test_references_differ_where_issuer_kind_or_value_does(make_app: MakeApp) -> None:
    app, other = make_app(), make_app(AUTH0_DOMAIN="https://another.example/")
    named = [("sub", "x"), ("sid", "x"), ("sub", "y")]

    refs = {each.extensions["relying_party"].ref(*name) for each in (app, other) for name in named}

    assert len(refs) == 6


def test_whoever_reads_the_store_cannot_find_a_person_by_trying(
    engine: str, stored_bytes: Callable[[], bytes], app: Flask, person: Person
) -> None:
    person.signs_in()
    reference = ref_of(app, ADA)
    hashes = [getattr(hashlib, name)(reference.encode()) for name in ("md5", "sha1", "sha256")]

    stored = stored_bytes()

    assert Encryptor((APP_SECRET_KEY,)).digests(reference)[0].encode() in stored
    for each in hashes:
        assert b64encode(each.digest())[:20] not in stored
        assert each.hexdigest()[:20].encode() not in stored
        assert each.digest()[:10] not in stored


def test_the_same_is_never_encrypted_the_same() -> None:
    encryptor = Encryptor(("k" * 32,))

    assert len({encryptor.encrypt(b"same", bound_to="same")[:12] for _ in range(100)}) == 100


def test_what_was_encrypted_before_an_update_can_still_be_decrypted() -> None:
    """Another derivation of the key, or another form, would sign everybody out."""
    decrypted = Encryptor(("k" * 32,)).decrypt(b64decode(ENCRYPTED), bound_to="session key")

    assert decrypted == (b"what a release before this one encrypted", True)


class Harm:
    """Something that does harm when it is unpickled."""

    done = False

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return (do_harm, ())


def do_harm() -> None:
    Harm.done = True


@pytest.mark.parametrize("encrypted", [False, True], ids=["by a thief", "with the key"])
def test_nothing_is_ever_unpickled(app: Flask, person: Person, encrypted: bool) -> None:
    person.signs_in()
    records: Any = app.session_interface.records  # type: ignore[attr-defined]  # it is ours
    [session] = records.all_with(ref_of(app, ADA))
    harm = pickle.dumps(Harm())
    encrypt = records.encryptor.encrypt
    content = encrypt(harm, bound_to=f"session {session.key}") if encrypted else harm

    records.store.delete(session.key)
    records.store.create(session.key, session.record._replace(data=content), [])
    person.sees("/profile")

    assert not Harm.done
    assert not person.is_signed_in()


def decompressed(stored: bytes) -> Iterator[bytes]:
    """Whatever in there is compressed and not encrypted."""
    start = stored.find(b"\x78\x01")
    while start >= 0:
        inflate = zlib.decompressobj()
        with suppress(zlib.error):
            yield inflate.decompress(stored[start:])
        start = stored.find(b"\x78\x01", start + 1)
