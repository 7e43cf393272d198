"""What one finds in tutorials: Flask, Authlib's Flask client, Flask-Session on Redis, requests.

The settings have the names of this repository's app, so that both start from one environment.
"""

from __future__ import annotations

import os
import time
from typing import Any

import redis
import requests
from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, render_template, session, url_for
from flask_session import Session
from werkzeug.wrappers import Response

app = Flask(__name__, template_folder="../templates")
app.config["SECRET_KEY"] = os.environ["APP_SECRET_KEY"]
app.config["SESSION_TYPE"] = "redis"
app.config["SESSION_REDIS"] = redis.Redis.from_url(os.environ["SESSION_REDIS_URL"])
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
Session(app)

provider = OAuth(app).register(
    "provider",
    client_id=os.environ["AUTH0_CLIENT_ID"],
    client_secret=os.environ["AUTH0_CLIENT_SECRET"],
    server_metadata_url=os.environ["AUTH0_DOMAIN"] + ".well-known/openid-configuration",
    client_kwargs={
        "scope": os.environ["AUTH0_SCOPE"],
        "code_challenge_method": "S256",
        "token_endpoint_auth_method": "client_secret_post",
    },
)


@app.get("/login")
def login() -> Any:
    """Send the browser to the provider."""
    back = url_for("callback", _external=True)
    return provider.authorize_redirect(back, audience=os.environ["AUTH0_AUDIENCE"])


@app.get("/callback")
def callback() -> Response:
    """Finish the sign-in."""
    token = provider.authorize_access_token()
    session["user"] = token.pop("userinfo")
    session["token"] = token
    return redirect("/small", 303)


@app.get("/small")
def small() -> str | Response:
    """The small page, for a signed-in person."""
    if "user" not in session:
        return redirect("/login", 303)
    return render_template("small.html", title="Small", name=session["user"]["name"])


@app.get("/api")
def api() -> str | Response:
    """The small page, after a call to the API."""
    if "user" not in session:
        return redirect("/login", 303)
    token = session["token"]
    if token["expires_at"] < time.time() + 30:
        refresh = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
        session["token"] = token = token | provider.fetch_access_token(**refresh)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    url = os.environ["API_BASE_URL"] + "/appointments"
    response = requests.get(url, headers=headers, timeout=10)
    response.raise_for_status()
    found = response.json()["appointments"]
    return render_template("small.html", title="API", name=f"{len(found)} appointments")
