"""The list of who only looks: it says why, and it names nobody who wants a service."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from poorwill.errors import GatewayError
from poorwill.gateway.bystanders import LIST, Kind, agents_regex, paths_regex, read_list

AGENTS = [kind for kind in Kind if kind is not Kind.NUISANCE]
PROGRAMS = """
    curl/8.10.1 | Wget/1.24.5 | python-requests/2.32.3 | python-httpx/0.27.2 | aiohttp/3.10
    OpenAI/Python 1.54.0 | AsyncOpenAI/Python 1.54.0 | OpenAI/JS 4.68.4 | Go-http-client/2.0
    okhttp/4.12.0 | axios/1.7.7 | node-fetch | undici | Java/21 | Apache-HttpClient/5.4
    PostmanRuntime/7.42 | insomnia/10 | HTTPie/3.2 | HomeAssistant/2026.11 | Dart/3.5 (dart:io)
    gradio_client/1.4 | langchain | litellm/1.52 | n8n | Faraday v2.12 | grpc-python/1.66 | ollama
    Anthropic/Python 0.39 | Cline/2.1 | Continue/0.9 | opencoding/1.0 | Bun/1.1 | Deno/2.0
    reqwest/0.12 | Cursor/0.42
"""


@pytest.mark.parametrize("program", [one.strip() for one in re.split(r"[|\n]", PROGRAMS) if one.strip()])
def test_no_program_that_people_use_is_listed(program: str) -> None:
    assert [kind for kind in AGENTS if re.fullmatch(agents_regex(LIST[kind]), program)] == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/models",
        "/api/generate",
        "/chat?next=/wp-login.php",
        "/queue/join",
        "/config",
        "/static/favicon.ico",
        "/environment",
        "/docs/.environment",
        "/files/backup.zip",
        "/.well-known/acme-challenge/x",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/webfinger?resource=acct:a@b.c",
        "/.well-known/matrix/client",
        "/owner/repository/src/branch/main/.env",
        "/gitea/owner",
        "/metrics",
        "/health",
        "/admin",
        "/login",
    ],
)
def test_no_path_that_people_use_is_listed(path: str) -> None:
    assert not re.fullmatch(paths_regex(LIST[Kind.NUISANCE]), path)


def test_every_kind_has_somebody() -> None:
    assert all(LIST[kind] for kind in Kind)


@pytest.mark.parametrize(
    "text",
    [
        "[[crawlers]]\nwhy = 'x'\nagents = ['x']",
        "[[robots]]\nwhy = 'x'\nsource = 'x'\nagents = ['x']",
        "[[nuisance]]\nwhy = 'x'\nsource = 'x'\nagents = ['x']",
        "crawlers = 3",
        "[[",
    ],
)
def test_a_list_that_says_too_little_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "list.toml"
    file.write_text(text)
    with pytest.raises(GatewayError, match=r"list\.toml cannot be used"):
        read_list(file)
