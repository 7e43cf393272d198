"""The unit: a bare Flask app with one small template. Also an API that is 20 ms away."""

from __future__ import annotations

import time

from flask import Flask, render_template

app = Flask(__name__)


@app.get("/small")
def small() -> str:
    """The small page that all apps here have."""
    return render_template("small.html", title="Small", name="Ada Marlow")


@app.get("/appointments")
def appointments() -> dict[str, list[str]]:
    """An API far away."""
    time.sleep(0.02)
    return {"appointments": []}
