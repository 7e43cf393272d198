"""What the session store shows to a thief: nothing; and what a thief can put there: nothing."""

from __future__ import annotations

import pickle
import zlib
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from sessions import Sealer, ref_of
from tests.conftest import PersonAt
from tests.sessions.test_session_cookie import issuer_of, session_cookie
from tests.support.harness import ADA, BEN, Person

SEALED = "wC69ge35WKqtw4wE5kVfrkrQ909aKBckMPQbObET4z9kH1QJzxwo+ShaxiN8rx8ROYw5KzgWJkl5WngRvV7B4vA="


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
    interface: Any = app.session_interface
    ((_, content),) = interface.all_with(ref_of(issuer_of(app), "sub", ADA)).values()
    tokens = content.data["auth"]["token_sets"][""]

    stored = stored_bytes()

    assert len(stored) > 500
    secrets = [session_id, ADA, claims["sid"], claims["name"], claims["email"], claims["nonce"]]
    secrets += [tokens["access_token"], tokens["refresh_token"], content.data["auth"]["id_token"]]
    for form in (stored, *decompressed(stored)):
        for secret in secrets:
            assert secret.encode() not in form


def test_a_record_put_in_another_ones_place_opens_for_nobody(
    app: Flask, person_at: PersonAt
) -> None:
    ada, ben = person_at(app), person_at(app)
    ada.signs_in(ADA)
    ben.signs_in(BEN)
    interface: Any = app.session_interface
    (key_of_ada,) = interface.all_with(ref_of(issuer_of(app), "sub", ADA))
    ((key_of_ben, (record, _)),) = interface.all_with(ref_of(issuer_of(app), "sub", BEN)).items()

    interface.store.delete(key_of_ben)
    interface.store.create(key_of_ben, interface.store.read(key_of_ada), [])

    assert not ben.is_signed_in()
    assert ada.is_signed_in()
    assert record.sealed


def test_references_differ_where_issuer_kind_or_value_does() -> None:
    named = [("https://a", "sub", "x"), ("https://b", "sub", "x"), ("https://a", "sid", "x")]
    named += [("https://a", "sub", "y"), ("https://as", "ub", "x")]

    assert len({ref_of(*each) for each in named}) == len(named)


def test_the_same_is_never_sealed_the_same() -> None:
    sealer = Sealer(("k" * 32,))

    assert len({sealer.seal(b"same", bound_to="same")[:12] for _ in range(100)}) == 100


def test_what_was_sealed_before_an_update_still_opens() -> None:
    """Another derivation of the key, or another form, would sign everybody out."""
    opened = Sealer(("k" * 32,)).open(b64decode(SEALED), bound_to="session key")

    assert opened == (b"what a release before this one sealed", True)


class Harm:
    """Something that does harm when it is unpickled."""

    done = False

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return (do_harm, ())


def do_harm() -> None:
    Harm.done = True


@pytest.mark.parametrize("sealed", [False, True], ids=["by a thief", "with the key"])
def test_nothing_is_ever_unpickled(app: Flask, person: Person, sealed: bool) -> None:
    person.signs_in()
    interface: Any = app.session_interface
    ((key, (record, _)),) = interface.all_with(ref_of(issuer_of(app), "sub", ADA)).items()
    harm = pickle.dumps(Harm())
    content = interface._seal(key, harm) if sealed else harm

    interface.store.delete(key)
    interface.store.create(key, record._replace(sealed=content), [])
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
