"""What the app is compared with: bare Flask apps under the same server."""

from __future__ import annotations

import os
from pathlib import Path

import requests
from flask import Flask, render_template, render_template_string


def create_app() -> Flask:
    """One small page, and one that calls the API as it is usually written."""
    app = Flask(__name__)
    source = Path(app.root_path, "templates", "floor.html").read_text()

    @app.get("/")
    def floor() -> str:
        return render_template("floor.html", title="The floor", name="World")

    @app.get("/compiled")
    def compiled() -> str:
        # As small examples do it: the template is a string, and compiled for each page.
        return render_template_string(source, title="The floor", name="World")

    @app.get("/api")
    def api() -> str:
        answer = requests.get(os.environ["BENCH_API"], timeout=10)
        return render_template("floor.html", title="The API said", name=answer.text)

    return app
