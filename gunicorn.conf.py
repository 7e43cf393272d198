"""Production settings of gunicorn; `gunicorn 'app:create_app()'` finds this file by itself."""

import os
import socket
import sys
from typing import Any


def on_starting(server: Any) -> None:
    """Called by gunicorn before it listens: refuse what can never work.

    With a certificate it answers by https alone, so nobody reaches an http:// address.
    """
    relying_party = getattr(server.app.wsgi(), "extensions", {}).get("relying_party")
    if relying_party is None:
        return  # another app, such as the bare one that the benchmark compares with
    settings = relying_party.settings
    if server.cfg.is_ssl and not (settings.is_https or settings.trusted_proxy_hops):
        sys.exit(
            "APP_BASE_URL is an http:// URL, and gunicorn has a certfile, so it answers by https "
            f"alone. Write: https://{settings.app_base_url.partition('://')[2]}"
        )


def when_ready(server: Any) -> None:
    """Called by gunicorn when it listens: see to it that it stops listening when it is told to end.

    Workers keep the listening sockets open until their last request is answered. Meanwhile the
    kernel would take connections in that nobody answers, and reset them at the end; a proxy that is
    refused goes to another replica at once.
    """
    for listener in server.LISTENERS:
        listener.close = _stop_listening(server, listener, listener.close)


def _stop_listening(server: Any, listener: Any, close: Any) -> Any:
    def stop() -> None:
        # Not in a worker, and not where another gunicorn took the sockets over (SIGUSR2).
        if os.getpid() == server.pid and not (server.reexec_pid or server.master_pid):
            listener.sock.shutdown(socket.SHUT_RDWR)
        close()

    return stop


# A container sets PORT, and is then reached from outside; without it only this machine can connect.
_port = os.environ.get("PORT")
bind = [f"0.0.0.0:{_port}" if _port else "127.0.0.1:3000"]

workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# gunicorn's threads; what it refuses to read is answered, and logged, by the app.
worker_class = "pages.gunicorn_worker.Worker"
# Most of a request's time is spent waiting for the provider or the API.
threads = int(os.environ.get("THREADS", "16"))

# The app is made once, before anything listens: wrong settings end the process right there.
preload_app = True

# Longer than a proxy keeps an idle connection (deploy/Caddyfile), so that it is the proxy that
# closes it: a connection that we close may be one on which a request is just being sent.
keepalive = 75
timeout = 60
graceful_timeout = 30
# Authorization codes of some providers are long.
limit_request_line = 8190

# Heartbeats in memory, where there is such a place: a disk that hangs must not kill workers.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  # gunicorn's own

# Which headers of proxies count is TRUSTED_PROXY_HOPS' to say. By gunicorn's defaults SCRIPT_NAME,
# sent by any visitor through a proxy on this machine, would change every link, or break the page.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

# Nobody manages a container's server through a socket in the home directory.
control_socket_disable = True
