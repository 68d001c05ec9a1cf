"""Who may use a GPU: what the rules say in each situation, in words that people read."""

from __future__ import annotations

from itertools import permutations
from math import inf
from typing import Any

import pytest

from poorwill.core.allocate import QUIET, TURNS, allocate, fits
from poorwill.core.share import Card, Claim, Share, Strength, Verdict, Word

NOW = 10_000.0
GB = 10**9
TURN = 300.0
HOUR = NOW - 3600


def claim(name: str, memory: int | None = None, *, on: str = "0", total: int = 24, **more: Any) -> Claim:
    """Of ``total`` GB each card; ``memory`` in GB, None for the whole card."""
    cards = tuple(Card(one, memory=total * GB) for one in on.split())
    own = {key: more.pop(key) for key in ("priority", "min_awake") if key in more}
    return Claim(name, Share(cards, memory and memory * GB, **{"min_awake": TURN, **own}), **more)


def waits(name: str, memory: int | None = None, **more: Any) -> Claim:
    return claim(name, memory, **{"wanted": 1, **more})


def awake(name: str, memory: int | None = None, since: float | None = HOUR, **more: Any) -> Claim:
    facts = {"wanted": 1, "held": 1, "awake_since": since, "used_at": NOW - 1, "reason": "in use"}
    return claim(name, memory, **{**facts, **more})


def verdicts(*claims: Claim) -> dict[str, Verdict]:
    """In whatever order they are told."""
    found = allocate(claims, NOW)
    for order in permutations(claims):
        assert allocate(order, NOW) == found
    return found


def words(*claims: Claim) -> dict[str, str]:
    return {name: str(one.word) for name, one in verdicts(*claims).items()}


# --- what fits -----------------------------------------------------------------------------------


def test_what_fits_is_awake_together() -> None:
    found = words(awake("chat", 10, since=NOW), waits("images", 14), waits("voice", 1, priority=-1))
    assert found == {"chat": "may", "images": "may", "voice": "waits"}
    assert words(awake("chat", 10), waits("images", on="1"), waits("voice", 1)) == dict.fromkeys(
        ("chat", "images", "voice"), "may"
    )


@pytest.mark.parametrize(
    ("needs", "memory", "true"),
    [
        ([(None, 1)], None, True),
        ([(5, 1)], None, True),
        ([(5, 1), (5, 1)], None, False),
        ([(None, 1), (5, 1)], 24, False),
        ([(None, 1), (5, 0)], 24, True),
        ([(None, 2)], 24, True),
        ([(12, 2)], 24, True),
        ([(12, 1), (13, 1)], 24, False),
        ([(25, 1)], 24, False),
        ([], 24, True),
    ],
)
def test_fits(needs: list[tuple[int | None, int]], memory: int | None, true: bool) -> None:
    assert fits(needs, memory) is true


def test_one_that_needs_two_cards_needs_room_on_both() -> None:
    big = waits("big", 20, on="0 1")
    assert words(big)["big"] == "may"
    assert words(big, awake("left", 10, on="0", since=NOW))["big"] == "waits"
    found = words(big, awake("left", 10, on="0"), awake("right", 10, on="1"), awake("other", on="2"))
    assert found == {"big": "waits", "left": "goes", "right": "goes", "other": "may"}


def test_cards_of_two_machines_are_two_cards() -> None:
    here, there = Card("0"), Card("0", machine="rented")
    one = Claim("a", Share((here,)), wanted=1, held=1, awake_since=HOUR)
    two = Claim("b", Share((there,)), wanted=1)
    assert words(one, two) == {"a": "may", "b": "may"}
    assert str(there) == "GPU 0 of rented"


def test_of_two_sizes_of_one_card_the_smaller_one_counts() -> None:
    """A changed configuration reaches the services one after the other."""
    assert words(awake("chat", 10, since=NOW, total=24), waits("images", 10, total=16))["images"] == "waits"


# --- who goes, and when --------------------------------------------------------------------------


def test_the_one_makes_room_for_the_other() -> None:
    found = verdicts(awake("chat"), waits("images"))
    assert found["chat"] == Verdict(Word.GOES, "makes room on GPU 0 for images", 0)
    assert found["images"] == Verdict(Word.WAITS, "waits for GPU 0: chat makes room", 0)


def test_but_not_before_its_time() -> None:
    found = verdicts(awake("chat", since=NOW - 100), waits("images"))
    assert found["chat"] == Verdict(Word.MAY, room=1, until=NOW + 200)
    assert found["images"].why == "waits for GPU 0, which chat keeps until it was awake for 5m"
    assert found["images"].until == NOW + 200
    assert words(awake("chat", since=NOW - TURN), waits("images"))["chat"] == "goes"
    assert words(awake("chat", since=NOW - 100, min_awake=60.0), waits("images"))["chat"] == "goes"


def test_one_that_is_starting_is_not_called_back() -> None:
    found = verdicts(awake("chat", since=None), waits("images", strength=Strength.PERSON, said_at=NOW))
    assert found["chat"] == Verdict(room=1)
    assert found["images"].word is Word.WAITS


@pytest.mark.parametrize(
    ("holder", "waiter", "goes"),
    [
        ({}, {"strength": Strength.HOURS, "asked": False}, True),
        ({}, {"strength": Strength.PERSON}, True),
        ({"strength": Strength.HOURS}, {}, False),
        ({"strength": Strength.HOURS}, {"priority": 9}, False),
        ({"strength": Strength.HOURS, "asked": False}, {"priority": 9}, False),
        ({"strength": Strength.HOURS}, {"strength": Strength.HOURS, "asked": False}, False),
        ({"strength": Strength.HOURS}, {"strength": Strength.HOURS, "asked": False, "priority": 1}, True),
        ({"strength": Strength.HOURS}, {"strength": Strength.HOURS}, True),
        ({"strength": Strength.HOURS, "priority": 1}, {"strength": Strength.HOURS}, False),
        ({"strength": Strength.HOURS, "priority": 1, "asked": False}, {"strength": Strength.HOURS}, True),
        ({"strength": Strength.HOURS}, {"strength": Strength.PERSON}, True),
        ({"strength": Strength.PERSON}, {"strength": Strength.HOURS, "priority": 9}, False),
        ({"strength": Strength.PERSON, "said_at": 5}, {"strength": Strength.PERSON, "said_at": 6}, True),
        ({"strength": Strength.PERSON, "said_at": 6}, {"strength": Strength.PERSON, "said_at": 5}, False),
        ({"priority": 1}, {}, False),
        ({"priority": 1, "used_at": inf}, {}, False),
        ({"priority": 1, "used_at": NOW - QUIET}, {}, True),
        ({"priority": 1}, {"waiting_since": NOW - TURNS * TURN + 1}, False),
        ({"priority": 1, "used_at": inf}, {"waiting_since": NOW - TURNS * TURN}, True),
        ({}, {"failing": True}, False),
        ({"used_at": NOW - QUIET}, {"failing": True}, True),
        ({"strength": Strength.HOURS}, {"failing": True, "strength": Strength.PERSON}, False),
        ({"movable": False}, {"strength": Strength.PERSON}, False),
        ({}, {"keeps": frozenset({"chat"})}, False),
        ({"wanted": 0}, {}, False),
    ],
)
def test_who_goes_for_whom(holder: dict[str, Any], waiter: dict[str, Any], goes: bool) -> None:
    found = words(awake("chat", **holder), waits("images", **waiter))
    assert found == {"chat": "goes" if goes else "may", "images": "waits"}
    early = words(awake("chat", **{**holder, "since": NOW - TURN + 1}), waits("images", **waiter))
    assert early == {"chat": "may", "images": "waits"}, "nobody goes before its time"


def test_the_least_missed_go_and_no_more_than_needed() -> None:
    services = awake("chat", 8, used_at=NOW - 5), awake("voice", 8, used_at=NOW - 900), awake("draw", 8)
    assert words(*services, waits("big", 8))["voice"] == "goes"
    found = words(*services, waits("big", 16))
    assert [name for name, word in found.items() if word == "goes"] == ["chat", "voice"]
    draining = awake("draw", 8, going=True)
    assert words(*services[:2], draining, waits("big", 8))["draw"] == "goes", "no second one is disturbed"
    small = awake("small", 2, used_at=NOW - 999)
    found = words(small, awake("large", 22), waits("big", 20))
    assert (found["small"], found["large"]) == ("may", "goes"), "its going would not help"


def test_who_can_go_now_goes_before_who_can_go_later() -> None:
    found = words(awake("new", 12, since=NOW - 9, priority=-1), awake("old", 12), waits("big", 12))
    assert (found["new"], found["old"]) == ("may", "goes")
    both = verdicts(awake("new", 12, since=NOW - 9), awake("old", 12), waits("big", 20))
    assert {name: one.word for name, one in both.items()}["old"] is Word.MAY, "it works until both can go"
    assert both["old"].until == both["new"].until == both["big"].until == NOW - 9 + TURN


# --- who is served first -------------------------------------------------------------------------


def test_the_order_of_those_who_wait() -> None:
    since = {name: NOW - seconds for name, seconds in (("first", 90), ("later", 50), ("latest", 10))}
    queue = [waits(name, waiting_since=at) for name, at in since.items()]
    assert words(*queue) == {"first": "may", "later": "waits", "latest": "waits"}
    assert words(*queue, waits("important", priority=1))["important"] == "may"
    assert words(*queue, waits("important", priority=1, failing=True))["first"] == "may"
    assert words(*queue, waits("hours", strength=Strength.HOURS))["hours"] == "may"
    overdue = waits("humble", priority=-5, waiting_since=NOW - TURNS * TURN)
    assert words(*queue, overdue)["humble"] == "may"
    proud = waits("proud", priority=5, waiting_since=NOW - TURNS * TURN)
    longer = waits("humble", priority=-5, waiting_since=NOW - TURNS * TURN - 1)
    assert words(*queue, proud, longer)["humble"] == "may", "among those who waited too long the first one"
    assert verdicts(*queue)["later"].why == "waits for GPU 0 until first had it"


def test_the_place_that_is_made_is_kept() -> None:
    """A small one does not slip into what the big one waits for; it may take what is left."""
    big, leaving = waits("big", 20, waiting_since=NOW - 9), awake("chat", 20)
    found = verdicts(big, leaving, waits("small", 4))
    assert {name: str(one.word) for name, one in found.items()} == {
        "big": "waits",
        "chat": "goes",
        "small": "may",
    }
    found = verdicts(big, awake("chat", 18, since=NOW - 100), waits("small", 5))
    assert (found["chat"].word, found["small"].word) == (Word.MAY, Word.WAITS)


def test_nothing_is_kept_for_one_that_cannot_have_it() -> None:
    strong = awake("strong", 10, strength=Strength.PERSON, reason="kept awake by hand")
    found = verdicts(strong, waits("big", 20, waiting_since=NOW - 9), waits("small", 4))
    assert found["small"].word is Word.MAY
    assert found["big"].why == "waits for GPU 0, which strong uses (kept awake by hand)"


def test_what_is_on_its_way_out_is_waited_for() -> None:
    assert verdicts(awake("chat", wanted=0), waits("images"))["images"].why == (
        "waits for GPU 0: chat makes room"
    )
    lost = verdicts(awake("chat", wanted=0, movable=False), waits("images"))["images"]
    assert lost.why == "waits for GPU 0: nobody can tell that chat has left it"
    alive = verdicts(awake("chat", movable=False), waits("images"))["images"]
    assert alive.why == "waits for GPU 0, which chat uses and Poorwill cannot stop now"


# --- several instances ---------------------------------------------------------------------------


def test_further_instances_take_free_room_only() -> None:
    found = verdicts(awake("chat", 5, wanted=4), awake("images", 10))
    assert found["chat"] == Verdict(why="there is no room for more on GPU 0", room=2)
    assert found["images"] == Verdict(room=1)
    assert verdicts(awake("chat", 5, wanted=4))["chat"] == Verdict(room=4)
    assert verdicts(waits("chat", 5, wanted=9))["chat"].room == 4


def test_further_instances_are_the_first_to_leave() -> None:
    found = verdicts(awake("chat", 6, wanted=3, held=3, priority=5), awake("voice", 6), waits("images", 8))
    assert found["chat"] == Verdict(Word.MAY, "makes room on GPU 0 for images", 1)
    assert found["voice"].word is Word.MAY
    found = verdicts(awake("chat", 8, wanted=3, held=3), waits("images", 24))
    assert found["chat"] == Verdict(Word.GOES, "makes room on GPU 0 for images", 0)


def test_fewer_are_wanted() -> None:
    found = verdicts(awake("chat", 8, wanted=1, held=3), waits("images", 8))
    assert (found["chat"].room, found["images"].why) == (1, "waits for GPU 0: chat makes room")
