from __future__ import annotations

from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path

import pytest
from scripts.reference import BUILT_IN

from poorwill.errors import BadInput, PoorwillError
from poorwill.providers import registry
from poorwill.providers.process import Options, ProcessProvider

GOOD = """
from poorwill.providers.process import ProcessProvider
class Provider(ProcessProvider): pass
class NoStop(ProcessProvider):
    stop = None
class NoOptions(ProcessProvider):
    Options = dict
a_value = 3
"""


@pytest.fixture(autouse=True)
def _fresh() -> None:
    registry.reload()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for third parties' packages, on the path as if installed."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def install(folder: Path, package: str, code: str, points: str) -> None:
    module = package.replace("-", "_")
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[poorwill.providers]\n{points}\n")


def test_the_built_in_one_comes_in_by_the_same_door() -> None:
    assert registry.available()["process"] is ProcessProvider
    assert registry.option_models()["process"] is Options
    assert registry.provider("process") is ProcessProvider


def test_a_third_party_plugs_in(installed: Path) -> None:
    install(installed, "moon-base", GOOD, "moon = moon_base:Provider")
    assert registry.available()["moon"].__name__ == "Provider"
    assert registry.broken() == {}


@pytest.mark.parametrize(
    ("code", "target", "why"),
    [
        ("import no_such_module_anywhere", "x:Provider", "No module named 'no_such_module_anywhere'"),
        ("raise SystemError('out of fuel')", "x:Provider", "out of fuel"),
        (GOOD, "x:Missing", "Missing"),
        (GOOD, "x:a_value", "is not a class"),
        (GOOD, "x:NoStop", "it lacks stop"),
        (GOOD, "x:NoOptions", "Options is not a pydantic model"),
    ],
)
def test_a_broken_one_is_named_and_breaks_no_other(
    installed: Path, request: pytest.FixtureRequest, code: str, target: str, why: str
) -> None:
    # a module is imported once per program, so each case is a package of its own
    package = f"broken-{abs(hash(request.node.name))}"
    install(installed, package, code, f"mars = {target.replace('x:', package.replace('-', '_') + ':')}")
    assert set(registry.available()) == set(BUILT_IN)
    error = registry.broken()["mars"]
    assert "'mars'" in str(error)
    assert package in str(error)
    assert why in str(error)
    assert error.hint
    with pytest.raises(PoorwillError, match="mars"):
        registry.provider("mars")


def test_a_built_in_name_cannot_be_taken(installed: Path) -> None:
    install(installed, "aaa-thief", GOOD, "process = aaa_thief:Provider")
    assert registry.available()["process"] is ProcessProvider
    assert "aaa-thief" in str(registry.broken()["process (aaa-thief)"])
    assert registry.provider("process") is ProcessProvider


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(BadInput, match="no provider 'proces'") as caught:
        registry.provider("proces")
    assert caught.value.hint == "did you mean process?"


def test_our_own_entry_point_is_declared() -> None:
    (point,) = (point for point in entry_points(group=registry.GROUP) if point.name == "process")
    assert isinstance(point, EntryPoint)
    assert isinstance(point.dist, Distribution)
    assert point.dist.name == "poorwill"
