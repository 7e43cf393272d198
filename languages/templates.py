"""Templates, compiled once for each language: a page costs no more than one without translations.

Jinja's own extension looks every text up on every page. Here a text without parameters becomes a
constant of the compiled template, like the HTML around it.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import flask
import flask.templating
import jinja2
from flask_babel import force_locale, get_locale, gettext
from jinja2 import nodes
from jinja2.visitor import NodeTransformer


class Environment(flask.templating.Environment):
    """Flask's environment, with one of the same kind beside it for each language."""

    language: str | None = None
    _by_language: dict[str, Environment]

    app: flask.Flask

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._by_language = {}

    def in_language(self, locale: str) -> Environment:
        """Return the environment of a locale; filters and globals are those of this one."""
        found = self._by_language.get(locale)
        if found is None:
            found = self.overlay()
            found.language = locale
            self._by_language[locale] = found
        return found

    def get_template(
        self,
        name: str | jinja2.Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,
    ) -> jinja2.Template:
        """Load a template in the language of the request."""
        if self.language is None and (locale := get_locale()):
            return self.in_language(str(locale)).get_template(name, parent, globals)
        return super().get_template(name, parent, globals)

    def compile(
        self,
        source: str | nodes.Template,
        name: str | None = None,
        filename: str | None = None,
        raw: bool = False,
        defer_init: bool = False,
    ) -> Any:
        """Compile a template, with the texts of its language in their places."""
        if self.language and isinstance(source, str):
            with self.app.app_context(), force_locale(self.language):
                source = _Texts().visit(self.parse(source, name, filename))
        return super().compile(source, name, filename, raw, defer_init)  # type: ignore[call-overload]


class _Texts(NodeTransformer):
    """Puts translations in the place of `_("…")` and `{% trans %}…{% endtrans %}`."""

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        self.generic_visit(node)
        function, arguments = node.node, node.args
        if (
            not isinstance(function, nodes.Name)
            or function.name not in ("_", "gettext")
            or len(arguments) != 1
            or not isinstance(arguments[0], nodes.Const)
        ):
            return node
        text = gettext(arguments[0].value)
        if not node.kwargs:
            return nodes.MarkSafeIfAutoescape(nodes.Const(text % {}))
        # What Jinja's extension does at run time: the parameters are escaped, the text is not.
        pairs = [nodes.Pair(nodes.Const(each.key), each.value) for each in node.kwargs]
        return nodes.Mod(nodes.MarkSafeIfAutoescape(nodes.Const(text)), nodes.Dict(pairs))
