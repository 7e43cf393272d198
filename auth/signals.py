"""What happened, for the audit log, metrics and the flow page.

Receivers get names and numbers, except those of `request_sent`: its headers, form and response hold
secrets and tokens, and a receiver that stores any of it must mask it first.
"""

from __future__ import annotations

from blinker import Namespace

_signals = Namespace()

signed_in = _signals.signal("signed-in", "A session was started. sub")
sign_in_failed = _signals.signal("sign-in-failed", "A sign-in was not finished. code, detail")
refreshed = _signals.signal("refreshed", "A refresh token was used. outcome, audience, detail")
revoked = _signals.signal("revoked", "A refresh token was revoked, or not. ok, detail")
signed_out = _signals.signal("signed-out", "A person signed out. sub")
logged_out = _signals.signal("logged-out", "A back-channel logout ended sessions. count")
request_sent = _signals.signal(
    "request-sent",
    "A request went out. method, url, status (0: no response), seconds; headers, form, response",
)
