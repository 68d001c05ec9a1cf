"""Several instances by one set of scripts, which are told the number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.providers.conformance import becomes, begin
from tests.providers.script_place import ScriptPlace

from poorwill.core.model import Condition
from poorwill.errors import Temporary
from poorwill.providers.base import Surroundings
from poorwill.providers.command import Options

START = """\
#!/bin/sh
echo "$1 $GPU $POORWILL_INSTANCE_NUMBER" >> told
sleep 1000 &
echo $! > "$1.pid"
"""
STOP = """\
#!/bin/sh
kill "$(cat "$1.pid")"
rm "$1.pid"
"""
STATUS = """\
#!/bin/sh
if [ -e "$1.dark" ]; then exit 4; fi
kill -0 "$(cat "$1.pid" 2>/dev/null || echo x)" 2>/dev/null || exit 3
"""
LINES = {
    "start": "./start.sh {number}",
    "stop": "./stop.sh {number}",
    "status": "./status.sh {number}",
    "env": {"GPU": "{index}"},
}


class NumberedPlace(ScriptPlace):
    def around(self, address: tuple[str, int] | None = None) -> Surroundings:
        return replace(super().around(address), instances=3)


@pytest.fixture
def place(tmp_path: Path) -> NumberedPlace:
    place = NumberedPlace(tmp_path, **LINES)
    for name, text in (("start", START), ("stop", STOP), ("status", STATUS)):
        place.script(name, text)
    return place


async def test_each_script_is_told_which_one(place: NumberedPlace) -> None:
    assert Options.model_validate(LINES).several == ""
    provider = place.provider()
    try:
        await begin(provider, "s-1")
        seen = await begin(provider, "s-2")
        assert seen.values == {"instance": "s-2", "number": "2", "index": "1"}
        assert (place.folder / "told").read_text() == "1 0 1\n2 1 2\n"
        await provider.stop("s-1")
        await becomes(provider, "s-1", Condition.ABSENT)
        (place.folder / "2.dark").touch()
        conditions = {seen.instance: seen.condition for seen in await provider.list()}
        assert conditions == {"s-1": Condition.ABSENT, "s-2": Condition.UNKNOWN, "s-3": Condition.ABSENT}
        for number in (1, 3):
            (place.folder / f"{number}.dark").touch()
        with pytest.raises(Temporary, match="does not know"):
            await provider.list()
    finally:
        await place.close()


async def test_one_that_nobody_knew_of_is_found(place: NumberedPlace) -> None:
    """The state folder is new, and an instance of before runs still."""
    old = place.provider()
    try:
        await begin(old, "s-3")
        for file in place.state.glob("*.life"):
            file.unlink()
        await becomes(place.provider(), "s-3", Condition.RUNNING)
    finally:
        await place.close()
