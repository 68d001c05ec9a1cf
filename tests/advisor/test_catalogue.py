"""The real gpuhunt, reading from a server of the same shape on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.advisor.catalogue_server import AWS, RUNPOD, serving

from poorwill.advisor.catalogue import Catalogue, folder, keep, kept, look_up
from poorwill.errors import PoorwillError

NOW = 1_795_600_000.0


def read(monkeypatch: pytest.MonkeyPatch, before: Catalogue, now: float = NOW, **files: str) -> Catalogue:
    with serving(**files) as url:
        monkeypatch.setenv("GPUHUNT_CATALOG_URL", url)
        return look_up(before, now)


def test_the_cheapest_for_each_gpu_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = read(monkeypatch, Catalogue(), aws=AWS, runpod=RUNPOD)
    assert found.providers == {"aws": NOW, "runpod": NOW}
    spot, usual = found.of("nvidia a10g")
    assert (usual.instance, usual.region, usual.per_hour, usual.spot) == (
        "g5.xlarge",
        "us-east-1",
        "1.006",
        False,
    )
    assert spot.spot
    [eighth] = found.of("A100-40GB")
    assert eighth.per_hour == "2.7447"
    assert found.of("A100-80GB") == found.of("A10G", "runpod") == []
    keep(tmp_path / "deep", found)
    assert kept(tmp_path / "deep") == found
    assert "Traceback" not in capfd.readouterr().err  # of the providers that are missing


def test_what_cannot_be_read_now_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    before = read(monkeypatch, Catalogue(), aws=AWS, runpod=RUNPOD)
    later = read(monkeypatch, before, NOW + 60, runpod=RUNPOD.replace("0.44", "0.48"))
    assert later.providers == {"aws": NOW, "runpod": NOW + 60}
    assert [offer.per_hour for offer in later.of("A40")] == ["0.48"]
    assert later.of("A10G") == before.of("A10G")


def test_nothing_to_be_had_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PoorwillError, match="could not be read") as failed:
        read(monkeypatch, Catalogue())
    assert "network" in failed.value.hint


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpuhunt", None)
    with pytest.raises(PoorwillError, match="not installed") as failed:
        look_up(Catalogue(), NOW)
    assert "poorwill[prices]" in failed.value.hint


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}', '{"format": 1, "read": 3, "offers": [{}]}'])
def test_a_damaged_cache_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "prices.json").write_text(text)
    assert kept(tmp_path) == Catalogue()


def test_where_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder({"XDG_CACHE_HOME": "/var/cache/me"}) == Path("/var/cache/me/poorwill")
    assert folder({"XDG_CACHE_HOME": "here"}) == Path.home() / ".cache" / "poorwill"
