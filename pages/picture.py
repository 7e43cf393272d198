"""The person's picture, where the app's settings allow its host.

The ID token's `picture` claim (OIDC Core section 5.1) is any URL. Loading it tells its host who
looks at this app and when, so the pages show initials unless PICTURE_HOSTS names the host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

LONGEST_URL = 2048  # characters


def picture_of(claims: Mapping[str, object], origins: tuple[str, ...]) -> str:
    """The claim's URL when its origin is to the letter one of `origins`; nothing otherwise."""
    url = claims.get("picture")
    if not origins or not isinstance(url, str) or len(url) > LONGEST_URL:
        return ""
    if not re.fullmatch(r"[\x21-\x7E]+", url):  # what urlsplit would drop, browsers might not
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if f"{parts.scheme}://{parts.netloc.lower()}" in origins else ""
