"""The file that `poorwill demo` writes is valid and says what the demo needs."""

from __future__ import annotations

import sys
from pathlib import Path

from poorwill.config import load
from poorwill.demo.config import SERVICE, demo_config
from poorwill.providers.process.options import Options
from poorwill.providers.registry import option_models


def test_the_file_loads_as_it_is_meant(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s a "folder": 夜鹰 # ${HOME} {1}'
    folder.mkdir()
    written = folder / "poorwill.yaml"
    written.write_text(
        demo_config(folder / "state", "127.0.0.1:9000", admin="127.0.0.1:9001"), encoding="utf-8"
    )
    settings = load(written, option_models())
    service = settings.services[SERVICE]
    assert settings.state == folder / "state"
    assert service.idle_after == 20.0
    assert service.ready.path == "/healthz"
    assert service.traffic.background == ("/heartbeat",)
    assert service.run is not None
    assert service.run.provider == "process"
    options = service.run.options
    assert isinstance(options, Options)
    assert options.command[:3] == (sys.executable, "-m", "poorwill.demo.service")
    assert str(folder / "notes") in options.command
    assert options.gives_address


def test_what_the_caller_wants_is_what_stands_there(tmp_path: Path) -> None:
    text = demo_config(tmp_path, "0.0.0.0:80", data=tmp_path / "elsewhere", startup_s=0.5, idle_after="3s")
    assert 'listen: "0.0.0.0:80"' in text
    assert '"--startup", "0.5"' in text
    assert str(tmp_path / "elsewhere") in text
    assert "idle_after: 3s" in text
