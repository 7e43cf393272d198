"""The OpenID provider: its metadata and its keys, fetched when they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import Problem
from .kept import Kept
from .key_set import PublishedKey, published_keys
from .metadata import Metadata
from .outbound import AnswerTooLarge, AnswerTooSlow, NoAnswer, Outbound


class Provider:
    """The provider that AUTH0_DOMAIN names."""

    def __init__(self, issuer: str, outbound: Outbound) -> None:
        self.issuer = issuer
        self._outbound = outbound
        self._metadata = Kept(self._fetch_metadata)
        self._keys = Kept(self._fetch_keys)

    def metadata(self) -> Metadata:
        """Return the checked metadata. Raises Problem where it has never been reached."""
        return self._metadata.get()

    def reach(self) -> None:
        """Return if the metadata can be fetched right now; raises Problem otherwise."""
        self._metadata.fetched_anew()

    def keys(self) -> list[PublishedKey]:
        """Return the key set. Raises Problem where it has never been reached."""
        return self._keys.get()

    def refetched_keys(self, seen: list[PublishedKey]) -> bool:
        """Fetch the key set again because a signature fits no key of the one that was seen;
        throttled for the whole process. Raises Problem."""
        return self._keys.refetched(seen)

    def _fetch_metadata(self) -> Metadata:
        url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        return Metadata.checked(self._fetch_json(url), self.issuer)

    def _fetch_keys(self) -> list[PublishedKey]:
        return published_keys(self._fetch_json(self.metadata().jwks_uri))

    def _fetch_json(self, url: str) -> dict[str, Any]:
        with asking_the_provider(too_large="bad_metadata"):
            answer = self._outbound.get(url, seconds=5.0)
        if answer.status == 429 or answer.status >= 500:
            raise Problem("provider_unreachable", f"{answer.status} at {url}", retry_after=5)
        data = answer.json_object()
        if answer.status != 200 or not data:
            raise Problem("bad_metadata", f"{answer.status} and no JSON object at {url}")
        return data


@contextmanager
def asking_the_provider(*, too_large: str) -> Iterator[None]:
    """Raise Problem where no answer comes; `too_large` is its code for one that is too large."""
    try:
        yield
    except AnswerTooSlow as error:
        raise Problem("provider_timeout", str(error), retry_after=10) from None
    except NoAnswer as error:
        raise Problem("provider_unreachable", str(error), retry_after=5) from None
    except AnswerTooLarge:
        raise Problem(too_large, "the answer was too large") from None
