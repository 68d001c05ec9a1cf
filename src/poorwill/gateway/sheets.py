"""What all pages are made with: templates with their style and scripts inside, and names fit for showing.

Templates are read once, at import. Names may come from a request (an unknown host), so they are cut, cleaned
and escaped here. Everything returned can be encoded as UTF-8.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from poorwill.gateway.words import Words

_NAME_LIMIT = 100
_HAN = re.compile("[\u3400-\u9fff]")

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.policies["json.dumps_kwargs"] = {"ensure_ascii": False}


def _inline(name: str) -> tuple[Markup, Markup]:
    """A template to be put inside the page as it is, and its source expression for the page's CSP."""
    lines = _templates.get_template(name).render().splitlines()
    text = "\n".join(line.strip() for line in lines if line.strip())
    digest = hashlib.sha256(text.encode()).digest()
    return Markup(text), Markup(f"'sha256-{base64.b64encode(digest).decode()}'")


_templates.globals["style"], _templates.globals["style_source"] = _inline("page.css")
_PAGES = {name: _templates.get_template(f"{name}.html") for name in ("waiting", "notice", "asleep", "closed")}
_NO_SCRIPT = (Markup(""), Markup("'none'"))
_SCRIPTS = {"waiting": _inline("waiting.js"), "asleep": _inline("hours.js"), "closed": _inline("hours.js")}


def render(page: str, language: str, say: Words, **values: Any) -> str:
    """A whole page: HTML that needs nothing else to be loaded, and is told to load nothing else."""
    script, source = _SCRIPTS.get(page, _NO_SCRIPT)
    return _PAGES[page].render(language=language, say=say, script=script, script_source=source, **values)


def clean(say: Words, service: str) -> str:
    """A name fit for showing: no control or direction-changing characters, no lone surrogates, not long."""
    name = "".join(char for char in service[: 4 * _NAME_LIMIT] if char.isprintable()) or say["nameless"]
    return name if len(name) <= _NAME_LIMIT else name[: _NAME_LIMIT - 1] + "…"


def spaced(text: str, name: str) -> str:
    """Chinese is written with a space before a Latin name, but without one before a Chinese name."""
    if _HAN.match(name[:1]):
        text = re.sub(rf"(?<={_HAN.pattern}) (?={{service}})", "", text)
    if _HAN.match(name[-1:]):
        text = re.sub(rf"(?<={{service}}) (?={_HAN.pattern})", "", text)
    return text


def about(say: Words, key: str, service: str) -> Markup:
    """One text as HTML, the service's name isolated from the writing direction around it."""
    name = clean(say, service)
    return escape(spaced(say[key], name)).format(service=Markup("<bdi>{}</bdi>").format(name))
