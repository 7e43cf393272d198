"""Pages that call the API, for the tests of `auth`, where a project removed the sample pages."""

from __future__ import annotations

import os

from flask import Flask, jsonify, render_template_string
from werkzeug.wrappers import Response

from app import create_app
from auth import ApiResponse, Error, call_api, refresh, relying_party, wants_json

PAGE = "{% extends 'base.html' %}{% block content %}<h1>From the API</h1>{{ data }}{% endblock %}"


def appointments() -> str | Response:
    return shown(call_api("GET", "/appointments"))


def contacts() -> str | Response:
    settings = relying_party().settings
    audience, base_url = settings.contacts_audience, settings.contacts_api_base_url
    return shown(call_api("GET", "/contacts", audience=audience, base_url=base_url))


def shown(response: ApiResponse) -> str | Response:
    data = response.data
    if not response.ok or data is None:
        raise Error("api_bad_answer", f"status {response.status}, nothing to show")
    return jsonify(data) if wants_json() else render_template_string(PAGE, data=data)


def with_api_pages(app: Flask) -> Flask:
    """Add those pages that the app does not have."""
    there = {rule.rule for rule in app.url_map.iter_rules()}
    for view in (appointments, contacts):
        path = f"/{view.__name__}"
        if path not in there:
            app.add_url_rule(path, f"test-{view.__name__}", view)
    return app


def served() -> Flask:
    """The app, for gunicorn; LOCK_SECONDS in the environment shortens the lock of a refresh."""
    refresh.LOCK_SECONDS = float(os.environ.get("LOCK_SECONDS", refresh.LOCK_SECONDS))
    return with_api_pages(create_app())
