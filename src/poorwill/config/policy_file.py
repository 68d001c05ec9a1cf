"""A scale policy in a file of its own: put in its place, as if it stood in poorwill.yaml.

Each place remembers its file, so that problems name the file, line and column where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from poorwill.config.complaint import Loc
from poorwill.config.document import Document, Place, Unreadable, read
from poorwill.errors import Problem

KEY = "scale_policy"
_ABOVE = (KEY, "autoscaling_policy")
"""What the keys of the policy may stand below in their file."""


def put_in_place(document: Document, path: Path, env: Mapping[str, str]) -> list[Problem]:
    """Reads the policy files that the services name, relative to the folder of ``path``. What cannot be read
    is a problem, and the service is left without it.
    """
    services = document.value.get("services")
    problems: list[Problem] = []
    for name, settings in services.items() if isinstance(services, dict) else ():
        at = ("services", name, KEY)
        named = settings.get(KEY) if isinstance(settings, dict) else None
        if isinstance(named, str) and at not in document.doubtful:
            problems += _put(
                document, at, settings, path, path.parent / Path(named.strip()).expanduser(), env
            )
    return problems


def _put(
    document: Document, at: Loc, settings: dict[str, Any], main: Path, file: Path, env: Mapping[str, str]
) -> Iterator[Problem]:
    here, key = document.values[at], ".".join(map(str, at))
    del settings[KEY]
    document.doubtful.add(at)
    try:
        policy = read(file.read_text(encoding="utf-8-sig"), env)
    except UnicodeDecodeError:
        yield Problem(str(file), 0, 0, "", "this is not UTF-8 text", "save the file as UTF-8")
        return
    except OSError as error:
        why = (
            "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        )
        hint = f"write the name of a file beside {main.name}, or the keys themselves"
        yield Problem(str(main), here.line, here.column, key, f"{file}: {why}", hint)
        return
    except Unreadable as error:
        found = error.trouble
        yield Problem(str(file), found.line, found.column, "", found.message, found.hint)
        return
    above = _above(policy.value)
    value = policy.value[above[0]] if above else policy.value
    if not isinstance(value, dict):
        hint = "for example max_instances: 3 and target: {concurrency: 4}"
        yield Problem(str(file), 1, 1, "", "expected keys such as max_instances", hint)
        return
    for loc, trouble in policy.troubles:
        where = ".".join(map(str, (*at, *loc[len(above) :])))
        yield Problem(str(file), trouble.line, trouble.column, where, trouble.message, trouble.hint)
    settings[KEY] = value
    document.doubtful.discard(at)
    _copy(policy, above, document, at, str(file))


def _above(value: Any) -> Loc:
    """The key that the policy stands below in its file; none when it stands there bare."""
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _ABOVE:
        return (next(iter(value)),)
    return ()


def _copy(policy: Document, above: Loc, document: Document, at: Loc, file: str) -> None:
    def moved(loc: Loc) -> Loc:
        return (*at, *loc[len(above) :])

    for places, into in ((policy.keys, document.keys), (policy.values, document.values)):
        into.update(
            {moved(loc): replace(place, file=file) for loc, place in places.items() if _below(loc, above)}
        )
    document.keys[at] = replace(policy.values.get(above, Place(1, 1)), file=file)
    document.written.update({moved(loc): text for loc, text in policy.written.items() if _below(loc, above)})
    document.from_environment |= {moved(loc) for loc in policy.from_environment}
    document.doubtful |= {moved(loc) for loc in policy.doubtful}


def _below(loc: Loc, above: Loc) -> bool:
    return loc[: len(above)] == above
