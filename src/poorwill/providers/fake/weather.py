"""How the fake place behaves at this moment: what the user wrote, and what the weather file says over it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from poorwill.errors import Permanent
from poorwill.providers.fake.options import Options


class Weather:
    """The file is read only when it changed."""

    def __init__(self, options: Options, base: Path) -> None:
        self._options = options
        self._file = base / Path(options.weather).expanduser() if options.weather else None
        self._text = ""
        self._now = options

    def now(self) -> Options:
        """Raises ``Permanent`` when the file says something that cannot be."""
        text = self._read()
        if text != self._text:
            self._now = self._changed_by(text)
            self._text = text
        return self._now

    def _read(self) -> str:
        if self._file is None:
            return ""
        try:
            return self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeError) as error:
            raise self._wrong(str(error)) from error

    def _changed_by(self, text: str) -> Options:
        try:
            said = YAML(typ="safe", pure=True).load(text)
            if said is None:
                return self._options
            if not isinstance(said, Mapping):
                raise self._wrong("it must hold keys, such as dark: true")
            return self._options.changed_by(said)
        except YAMLError as error:
            raise self._wrong(" ".join(str(error).split())) from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise self._wrong(f"{place}: {first['msg']}") from error

    def _wrong(self, why: str) -> Permanent:
        return Permanent(
            f"the weather file {self._file} cannot be used: {why}",
            hint="it takes the keys below run: fake:; correct it, or remove it",
        )
