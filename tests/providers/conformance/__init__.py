"""What every provider must do, whatever it runs instances on. A provider's own tests inherit the class."""

from __future__ import annotations

from tests.providers.conformance.coming import Coming
from tests.providers.conformance.ending import Ending
from tests.providers.conformance.failing import Failing
from tests.providers.conformance.form import Form
from tests.providers.conformance.heartbeat import steady
from tests.providers.conformance.place import ABILITIES, NAMES, Declared, Place, needs
from tests.providers.conformance.restarts import Restarts
from tests.providers.conformance.several import Several
from tests.providers.conformance.waiting import (
    DEADLINE,
    becomes,
    begin,
    condition_of,
    cut_off,
    end,
    hears_hello,
    refused,
    sees,
    sighted,
    through_json,
    until,
)

__all__ = [
    "ABILITIES",
    "DEADLINE",
    "NAMES",
    "Place",
    "ProviderConformance",
    "becomes",
    "begin",
    "condition_of",
    "cut_off",
    "end",
    "hears_hello",
    "needs",
    "refused",
    "sees",
    "sighted",
    "steady",
    "through_json",
    "until",
]


class ProviderConformance(Form, Coming, Several, Ending, Failing, Restarts, Declared):
    """Needs a fixture ``place``, which also clears away whatever a failed test left running.

    What the place cannot do stands in ``cannot``, with the reason; then there are no tests of it.
    """
