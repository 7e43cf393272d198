# The app as a container: docker build --tag flask-oidc-app .
# The demo, everything in one container: docker build --target demo --tag flask-oidc-app-demo .
#
# Pin the base image before you go to production, so that a build next month is today's build:
#   docker buildx imagetools inspect python:3.13-slim --format '{{.Manifest.Digest}}'
# and write FROM python:3.13-slim@sha256:… in both places. Dependabot keeps it current from then on.

FROM python:3.13-slim AS build

# Packages before code: a change of the code does not install them again. The environment has no pip.
WORKDIR /build
COPY requirements.txt .
RUN python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --disable-pip-version-check --no-cache-dir --no-compile \
      --root-user-action ignore --require-hashes --only-binary :all: --requirement requirements.txt

# All that .dockerignore lets in; the demo is for the stage of that name only.
COPY . /app/
RUN rm -rf /app/demo /app/requirements.txt

# Bytecode is made here, once: it cannot be written at run time, and without it every start compiles
# anew. Unchecked, because a copy of the files may change their times.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash /venv /app

# What the app's own user may write to: the SQLite session store, when that is used.
RUN mkdir /app/instance && chown 10001:10001 /app/instance && chmod 700 /app/instance


FROM python:3.13-slim AS base

# A number and not a name, so that Kubernetes can see that it is not root (runAsNonRoot).
RUN groupadd --gid 10001 app \
 && useradd --uid 10001 --gid app --no-create-home --home-dir /app --shell /usr/sbin/nologin app

# What installs packages is of use to an intruder only.
RUN pip uninstall --quiet --yes --root-user-action ignore pip \
 && python -c "import ensurepip, shutil; shutil.rmtree(ensurepip.__path__[0])"

COPY --from=build /venv /venv
COPY --from=build /app /app

ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PORT=3000
WORKDIR /app
USER 10001:10001
EXPOSE 3000
STOPSIGNAL SIGTERM

# python -I -S: no site packages and none of the environment's settings, so it starts in no time;
# http.client: unlike urllib it never asks a proxy.
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 \
  CMD ["python", "-I", "-S", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('localhost', int(os.environ['PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]


# App, OpenID provider and sample API in one container, for trying it out: docker build --target demo
FROM base AS demo
COPY demo /app/demo/
CMD ["python", "-m", "demo", "--listen-on-every-address-anyone-can-sign-in-as-anyone"]


# The last stage is what is built when no target is named.
FROM base AS production
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="flask-oidc-app" \
      org.opencontainers.image.description="Flask web app with OpenID Connect sign-in that calls a protected API" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
CMD ["python", "gunicorn.conf.py"]
