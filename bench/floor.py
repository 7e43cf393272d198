"""What the app is compared with: bare Flask apps under the same server."""

from __future__ import annotations

import os

import requests
from flask import Flask, render_template_string

PAGE = """<!doctype html>
<html lang="en">
<head><title>{{ title }}</title></head>
<body><h1>{{ title }}</h1><p>Hello, {{ name }}.</p></body>
</html>"""


def create_app() -> Flask:
    """One small page, and one that calls the API as it is usually written."""
    app = Flask(__name__)

    @app.get("/")
    def floor() -> str:
        return render_template_string(PAGE, title="The floor", name="World")

    @app.get("/api")
    def api() -> str:
        answer = requests.get(os.environ["BENCH_API"], timeout=10)
        return render_template_string(PAGE, title="The API said", name=answer.text)

    return app
