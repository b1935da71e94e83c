"""Values of YAML files: text that may hold `{{ var(…) }}` or `{{ env_var(…) }}` in, the value out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Undefined, nodes

from sqlml.errors import ParseError
from sqlml.ir.location import SourceLocation
from sqlml.templating.environment import TemplateEnvironment, value_functions
from sqlml.templating.faults import TEMPLATE_FAULTS, explain

_REFERENCES = frozenset({"ref", "source", "predict", "ml_table"})


def render_value(
    text: str, variables: Mapping[str, Any], environment: Mapping[str, str], location: SourceLocation
) -> Any:
    """Return the value of a YAML string: itself if it has no Jinja, a native value if it is one `{{ … }}`, else text.

    Args:
        text: the string as written.
        variables: what `var()` reads.
        environment: what `env_var()` reads, secrets included.
        location: the value's place, where every error is reported.

    Raises:
        ParseError: for anything that is wrong in it, at `location`.
    """
    if "{{" not in text and "{%" not in text:
        return text
    jinja = TemplateEnvironment()
    functions = value_functions(variables, environment, are_secrets_allowed=True)
    try:
        return _evaluate(jinja, text, functions, location)
    except TEMPLATE_FAULTS as error:
        fault = explain(error, location, functions, jinja)
    if any(fault.what.startswith(f"'{name}' is not defined") for name in _REFERENCES):
        fault.fix = "in YAML, write a reference without braces: ref('name')"
    raise ParseError(fault.what, location, fault.fix)


def _evaluate(jinja: TemplateEnvironment, text: str, functions: Mapping[str, Any], location: SourceLocation) -> Any:
    tree = jinja.parse_checked(text.strip() if text.strip().startswith("{{") else text, location.path).tree
    expression = _single_expression(tree)
    if expression is None:
        return jinja.from_string(text).render(functions)
    target = nodes.Name("result", "store", lineno=1)
    template = jinja.from_string(nodes.Template([nodes.Assign(target, expression, lineno=1)], lineno=1))
    value = template.make_module(dict(functions)).__dict__["result"]
    if isinstance(value, Undefined):
        str(value)  # fails, by the name
    return value


def _single_expression(tree: nodes.Template) -> nodes.Expr | None:
    if len(tree.body) == 1 and isinstance(tree.body[0], nodes.Output) and len(tree.body[0].nodes) == 1:
        only = tree.body[0].nodes[0]
        return None if isinstance(only, nodes.TemplateData) else only
    return None
