"""Production settings of gunicorn; `gunicorn 'app:create_app()'` finds this file by itself.

`python gunicorn.conf.py` starts it, too, and says in a sentence what is wrong with WEB_CONCURRENCY:
gunicorn reads that one before this file, and ends in a traceback.
"""

import errno
import os
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.http import errors

from config import Bad, server_number

# A malformed request may have a code or a cookie in it, and gunicorn would repeat it in its own
# error page and in the log.
for _each in vars(errors).values():
    if isinstance(_each, type) and issubclass(_each, Exception):
        _each.__str__ = lambda self: type(self).__name__  # type: ignore[method-assign]


def on_starting(server: Any) -> None:
    """Called by gunicorn before it listens: refuse what can never work.

    With a certificate it answers by https alone, so nobody reaches an http:// address.
    """
    settings = server.app.wsgi().extensions["relying_party"].settings
    if server.cfg.is_ssl and not (settings.is_https or settings.trusted_proxy_hops):
        sys.exit(
            "APP_BASE_URL is an http:// URL, and gunicorn has a certfile, so it answers by https "
            f"alone. Write: https://{settings.app_base_url.partition('://')[2]}"
        )


def when_ready(server: Any) -> None:
    """Called by gunicorn when it listens: see to it that it stops listening when told to end.

    Workers keep the listening sockets until their last request is answered. Meanwhile the kernel
    would take connections in that nobody answers, and reset them at the end; a proxy that is
    refused goes to another replica at once.
    """
    for listener in server.LISTENERS:
        listener.close = partial(_stop_listening, server, listener, listener.close)


def _stop_listening(server: Any, listener: Any, close: Callable[[], None]) -> None:
    # Not in a worker, and not where another gunicorn took the sockets over (SIGUSR2).
    if os.getpid() == server.pid and not (server.reexec_pid or server.master_pid):
        # What is queued and was accepted by no worker yet would be reset, with the request in it.
        deadline = time.monotonic() + 1
        while listener.get_backlog() > 0 and time.monotonic() < deadline:
            time.sleep(0.001)
        listener.sock.shutdown(socket.SHUT_RDWR)
    close()


def post_worker_init(worker: Any) -> None:
    """Called by gunicorn in each worker: accept nothing, and no error, from a socket that has just
    stopped listening, until SIGTERM comes a moment later."""
    accept = worker.accept

    def accept_while_listening(listening: socket.socket) -> None:
        try:
            accept(listening)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise

    worker.accept = accept_while_listening


def _addresses(port: str) -> list[str]:
    """Every address of this machine: IPv6 and IPv4, or IPv4 alone where there is no IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::", 0))
            ipv6_only = probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    except OSError:
        return [f"0.0.0.0:{port}"]
    return [f"[::]:{port}", f"0.0.0.0:{port}"] if ipv6_only else [f"[::]:{port}"]


def _positive(name: str, default: int) -> int:
    try:
        return server_number(os.environ.get(name, "").strip() or str(default))
    except Bad as bad:
        sys.exit(f"{name} {bad.args[0]}. Write: {default}")


# A container sets PORT, and is then reached from outside; without it only this machine can connect.
_port = os.environ.get("PORT", "").strip()
bind = _addresses(str(_positive("PORT", 3000))) if _port else ["127.0.0.1:3000"]

workers = _positive("WEB_CONCURRENCY", 2)
worker_class = "gthread"
# Most of a request's time is spent waiting for the provider or the API.
threads = _positive("THREADS", 16)

# The app is made once, before anything listens: wrong settings end the process right there.
preload_app = True

# Longer than a proxy keeps an idle connection (deploy/Caddyfile), so that it is the proxy that
# closes it: a connection that we close may be one on which a request is just being sent.
keepalive = 75
timeout = 60
graceful_timeout = 30
# Authorization codes of some providers are long; a whole head has 32 KB at most (auth).
limit_request_line = 8190

# Heartbeats in memory, where there is such a place: a disk that hangs must not kill workers.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  # gunicorn's own

# Which headers of proxies count is TRUSTED_PROXY_HOPS' to say. By gunicorn's defaults SCRIPT_NAME,
# sent by any visitor through a proxy on this machine, would change every link, or break the page.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

# Switched on by `--access-logfile -`: without the query, which has codes and states in it.
access_log_format = '%(h)s %(t)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'

# Nobody manages a container's server through a socket in the home directory.
control_socket_disable = True

if __name__ == "__main__":
    os.environ["WEB_CONCURRENCY"] = str(workers)
    command = [sys.executable, "-m", "gunicorn", *sys.argv[1:], "app:create_app()"]
    os.execv(sys.executable, command)  # noqa: S606  # without a shell
