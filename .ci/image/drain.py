"""Inside the container: two requests whose bodies come in two parts, the end after SIGTERM.

Prints "in flight" when the app waits for both bodies, and "answered in full" when the first was
answered after the server had stopped listening; then ends the second, which held it alive for that.
"""

import contextlib
import os
import socket
import sys
import time

PORT = int(os.environ["PORT"])
DEADLINE = time.monotonic() + 30
HEAD = (
    f"POST /backchannel-logout HTTP/1.1\r\nHost: localhost:{PORT}\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 14\r\n"
    "Expect: 100-continue\r\n\r\n"
).encode()


def begin() -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", PORT), 10)
    connection.sendall(HEAD + b"logout")
    # gunicorn says so in the thread that runs the app, which then waits for the rest.
    if b"100 Continue" not in connection.recv(100):
        sys.exit("the server did not begin")
    return connection


def end(connection: socket.socket) -> bytes:
    connection.sendall(b"_token=x")
    answer = b""
    while part := connection.recv(65536):
        answer += part
    return answer


first, second = begin(), begin()
print("in flight", flush=True)
with contextlib.suppress(ConnectionRefusedError):
    while time.monotonic() < DEADLINE:
        # One that is being made in the moment in which it stops listening is reset.
        with contextlib.suppress(ConnectionResetError):
            socket.create_connection(("127.0.0.1", PORT), 1).close()
        time.sleep(0.02)
    sys.exit("it goes on listening")
time.sleep(1)
head, _, body = end(first).partition(b"\r\n\r\n")
length = int(head.lower().partition(b"content-length: ")[2].split()[0])
good = head.startswith(b"HTTP/1.1 400 ") and length == len(body) > 0
print("answered in full" if good else f"answered {head!r}", flush=True)
end(second)
