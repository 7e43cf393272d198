"""Templates, compiled once for each language: a page costs no more than one without translations.

Jinja's own extension looks every text up on every page. Here a text without parameters becomes a
constant of the compiled template, like the HTML around it.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any, cast

import flask
import flask.templating
import jinja2
from flask_babel import force_locale, gettext
from jinja2 import nodes
from jinja2.visitor import NodeTransformer
from markupsafe import escape

from .choice import language


class Environment(flask.templating.Environment):
    """Flask's environment, with one of the same kind beside it for each language."""

    app: flask.Flask
    # Of which language its templates are; none, where each request has its own.
    language = ""
    _by_language: dict[str, Environment]

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._by_language = {}

    def in_language(self, tag: str) -> Environment:
        """Return the environment of a language; filters and globals are those of this one."""
        found = self._by_language.get(tag)
        if found is None:
            found = self.overlay()
            found.language = tag
            self._by_language[tag] = found
        return found

    def get_template(
        self,
        name: str | jinja2.Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,
    ) -> jinja2.Template:
        """Load a template in the language of the request."""
        if not self.language:
            return self.in_language(language()).get_template(name, parent, globals)
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
    """Puts translations in the place of `_("…")` and `{% trans %}…{% endtrans %}`.

    What has a plural stays, and is looked up when the page is made.
    """

    def visit_Output(self, node: nodes.Output) -> nodes.Node:
        """A text with parameters falls into its parts, each escaped as it would be anywhere."""
        parts: list[nodes.Expr] = []
        for each in node.nodes:
            text = _text_of(each)
            if text is None:
                parts.append(self.visit(each))
                continue
            parameters = {keyword.key: keyword.value for keyword in cast(nodes.Call, each).kwargs}
            for index, part in enumerate(PARAMETER.split(text)):
                # The pattern's group makes every other part the name of a parameter.
                if index % 2:
                    parts.append(self.visit(parameters[part]))
                elif part:
                    parts.append(nodes.TemplateData(part.replace("%%", "%")))
        return nodes.Output(parts, lineno=node.lineno)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        """Elsewhere it is a value: the parameters are escaped, the text is not."""
        self.generic_visit(node)
        text = _text_of(node)
        if text is None:
            return node
        if node.kwargs:
            pairs = [nodes.Pair(nodes.Const(each.key), each.value) for each in node.kwargs]
            return nodes.Mod(nodes.MarkSafeIfAutoescape(nodes.Const(text)), nodes.Dict(pairs))
        constant = nodes.Const(text.replace("%%", "%"))
        return (
            constant
            if escape(constant.value) == constant.value
            else (nodes.MarkSafeIfAutoescape(constant))
        )


PARAMETER = re.compile(r"%\((\w+)\)s")


def _text_of(node: nodes.Node) -> str | None:
    """The translation of the text that a call of `gettext` names; None for any other node."""
    if (
        isinstance(node, nodes.Call)
        and isinstance(node.node, nodes.Name)
        and node.node.name in ("_", "gettext")
        and len(node.args) == 1
        and isinstance(node.args[0], nodes.Const)
    ):
        return str(gettext(node.args[0].value))
    return None
