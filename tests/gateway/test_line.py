"""First come, first served; who gave up is not waited for, and nobody who was called is forgotten."""

from __future__ import annotations

import asyncio
import random

from tests.patience import PATIENCE

from poorwill.gateway.doors import Door
from poorwill.gateway.line import Line


def test_order_is_by_when_a_request_began_not_by_when_it_was_asked_about() -> None:
    line = Line()
    began = [float(number) for number in range(100)]
    random.Random(1).shuffle(began)
    tickets = sorted((line.join(at) for at in began), key=lambda ticket: ticket.began)
    for served in range(0, 100, 10):
        assert [ticket.granted for ticket in tickets] == [number < served for number in range(100)]
        assert line.grant(10) == 10
    assert (len(line), line.grant(1), line.granted) == (0, 0, 100)


def test_of_two_at_the_same_moment_the_first_to_join_is_the_first() -> None:
    line = Line()
    first, second = line.join(1.0), line.join(1.0)
    line.grant(1)
    assert (first.granted, second.granted) == (True, False)


def test_who_gives_up_makes_room() -> None:
    line = Line()
    first, second, third = (line.join(float(number)) for number in range(3))
    line.leave(second, went=False)
    assert len(line) == 2
    line.grant(2)
    assert (first.granted, second.granted, third.granted) == (True, False, True)
    line.leave(first, went=True)
    line.leave(third, went=False)
    assert line.granted == 1, "a slot that nobody took was not given"


async def test_a_door_that_closes_in_front_of_those_who_were_called_calls_them_again() -> None:
    door = Door("it", 5.0, lambda _: None)
    door.let_through(True)
    first, second = door.line_up(1.0), door.line_up(2.0)
    door.line.grant(1)
    assert door.admits(first)
    assert not door.admits(second)
    door.let_through(False)
    assert not door.admits(first)
    assert len(door.line) == 2
    door.let_through(True)
    async with asyncio.timeout(PATIENCE):
        await door.change(first)
    door.line.grant(1)
    assert door.admits(first)
    assert not door.admits(second)


def test_whoever_grants_is_told_of_a_newcomer_and_of_an_open_door() -> None:
    told: list[str] = []
    door = Door("it", 5.0, lambda _: None, on_line=lambda: told.append("look"))
    door.line_up(1.0)
    door.let_through(True)
    door.let_through(True)
    assert told == ["look"] * 2


def test_crowded_counts_all_who_wait() -> None:
    door = Door("it", 5.0, lambda _: None, max_held=2)
    door.line_up(1.0)
    assert not door.crowded
    door.line_up(2.0)
    assert door.crowded


def test_slots_of_several_instances_go_to_the_first_where_there_is_most_room() -> None:
    line = Line()
    tickets = [line.join(float(number)) for number in range(6)]
    assert line.grant_at({"a": 1, "b": 3, "c": 0}) == {"a": 1, "b": 3}
    assert sorted(ticket.to for ticket in tickets[:4]) == ["a", "b", "b", "b"]
    assert not any(ticket.granted for ticket in tickets[4:])
    assert (line.granted, line.granted_to("b"), line.granted_to("c")) == (4, 3, 0)


def test_who_wants_an_instance_waits_for_it_and_nobody_behind_him() -> None:
    line = Line()
    wanting, other, of_a_gone_one = line.join(1.0, "a"), line.join(2.0), line.join(3.0, "gone")
    line.grant_at({"a": 0, "b": 2})
    assert (wanting.granted, other.to, of_a_gone_one.to) == (False, "b", "b")
    newcomer = line.join(4.0)
    line.grant_at({"b": 0}, kept={"a": 2})
    assert (wanting.to, newcomer.granted) == ("a", False), "what is kept is for those who want it"
    line.leave(wanting, went=False)
    assert line.granted_to("a") == 0
    line.leave(other, went=True)
    line.recall()
    assert (line.granted_to("b"), of_a_gone_one.granted) == (1, False)
