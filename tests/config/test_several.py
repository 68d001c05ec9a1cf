"""What a service with several instances cannot have."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, TypeAdapter
from tests.config.reading import Options

from poorwill.config.address import Address, ServiceAddress
from poorwill.config.run import Run
from poorwill.config.several import several_complaints

ADDRESS: TypeAdapter[ServiceAddress] = TypeAdapter(Address)


class Able(Options):
    @property
    def several(self) -> str:
        return ""


class Container(Able):
    @property
    def may_give_address(self) -> bool:
        return True


class Silent(BaseModel):
    """Of a package that knows nothing of all this."""

    command: list[str]


class Unable(Options):
    @property
    def several(self) -> str:
        return "there is one of it: rent another"


def said(
    options: type[Options] | type[Silent], address: str | None, on: str | None = None
) -> list[tuple[str, str, str]]:
    run = Run("mine", options(command=["x"]))
    where = None if address is None else ADDRESS.validate_python(address)
    found = several_complaints(run, where, on)
    return [(str(loc[0]), error.message(), str((error.context or {})["hint"])) for loc, error, _ in found]


@pytest.mark.parametrize(
    ("address", "on"),
    [
        (None, None),
        ("127.0.0.1:910{number}", None),
        ("{instance}.lan:80", None),
        ("{host}:80", None),
        ("{host}:910{number}", "gpu"),
        ("{host}:{container_port}", "gpu"),
    ],
)
def test_what_each_instance_has_for_itself(address: str | None, on: str | None) -> None:
    assert said(Able, address, on) == []


@pytest.mark.parametrize(
    ("options", "address", "on", "message", "hint"),
    [
        (Able, "127.0.0.1:9100", None, "127.0.0.1:9100 is the same", "write 127.0.0.1:910{number}"),
        (Able, "{host}:9100", "gpu", "{host}:9100 is the same", "write {host}:910{number}"),
        (Able, "https://gpu.lan", None, "https://gpu.lan is the same", "write https://gpu.lan:910{number}"),
        (Able, "tunnel:7860", "gpu", "a tunnel leads to one instance", "max_instances: 1"),
        (Container, "127.0.0.1:9100", None, "127.0.0.1:9100 is the same", "leave address out"),
        (Container, "{host}:9100", "gpu", "{host}:9100 is the same", "write {host}:{container_port}"),
        (Unable, "127.0.0.1:9100", None, "there is one of it: rent another", "max_instances: 1"),
        (Silent, None, None, "mine does not say that it can run several", "max_instances: 1"),
    ],
)
def test_what_all_would_share(
    options: type[Options] | type[Silent], address: str | None, on: str | None, message: str, hint: str
) -> None:
    ((key, told, advice),) = said(options, address, on)
    assert key == ("run" if options in (Unable, Silent) else "address")
    assert message in told
    assert hint in advice
