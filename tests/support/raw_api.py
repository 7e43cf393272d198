"""Bytes that no web framework would send: an API that answers with them, and requests of them."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class RawApi:
    """Listens on loopback; `heads` are the request heads that came."""

    def __init__(self, *answer: bytes, endless: bytes = b"", pause: float = 0) -> None:
        self.answer, self.endless, self.pause = b"".join(answer), endless, pause
        self.heads: list[str] = []
        self.sent = 0
        self._done = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://localhost:{self._socket.getsockname()[1]}"

    def _serve(self) -> None:
        while not self._done.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self.heads.append(connection.recv(65536).decode("latin-1"))
            connection.sendall(self.answer)
            while self.endless and not self._done.wait(self.pause):
                connection.sendall(self.endless)
                self.sent += len(self.endless)

    def __enter__(self) -> RawApi:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def answers(*lines: str, body: bytes = b"{}") -> bytes:
    """An HTTP answer: its head's lines, and a body."""
    head = "\r\n".join((*lines, f"Content-Length: {len(body)}"))
    return head.encode("latin-1") + b"\r\n\r\n" + body


@contextlib.contextmanager
def raw_api(*answer: bytes, endless: bytes = b"", pause: float = 0) -> Iterator[RawApi]:
    """Serve an answer as it is, and after it `endless` again and again."""
    with RawApi(*answer, endless=endless, pause=pause) as api:
        yield api


def sent(server: str, request: bytes) -> str:
    """Send bytes as they are; return whatever comes until the connection ends."""
    port = int(server.rpartition(":")[2])
    received = b""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.settimeout(10)
        try:
            connection.sendall(request)
            while piece := connection.recv(65536):
                received += piece
        except OSError:
            pass  # it would not listen to the end
    return received.decode("latin-1")
