"""Production settings of gunicorn; `gunicorn 'app:create_app()'` finds this file by itself."""

import os

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

keepalive = 15
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
