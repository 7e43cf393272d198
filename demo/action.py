"""The sign-in hook: edit this file, restart the demo, sign in again.

It runs each time tokens are issued, at sign-in and at refresh, like an Action of Auth0's post-login
trigger. It can add claims to the ID token and to the access token, and scopes to the access token.
"""

from __future__ import annotations

from demo.provider.hook import Api, Event


def on_sign_in(event: Event, api: Api) -> None:
    """Add the claims and scopes of your choice; `event` says who signs in, and where."""
    # Claims need a namespace of yours, a URL that need not lead anywhere: a plain `foo` might
    # collide with a claim that some specification defines later (RFC 7519 section 4.2).
    api.id_token.set_custom_claim("https://foo/bar", "value")
    api.access_token.set_custom_claim("https://fiz/baz", "some other value")

    # The application did not ask for these; the token response's `scope` tells it of them.
    api.access_token.add_scope("foo")
    api.access_token.add_scope("bar")

    # An example with a condition:
    # if event.user.get("email", "").endswith("@example.jp"):
    #     api.id_token.set_custom_claim("https://example.com/office", "Kyoto")
