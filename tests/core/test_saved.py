"""What sleeping saved, and when it cost more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from poorwill.core.bill import lines
from poorwill.core.life import Life
from poorwill.core.price import Price
from poorwill.core.saved import Saved, saved
from poorwill.core.spans import Span
from poorwill.core.terms import Terms

H = 3600.0
PRICE = Price("CNY", Decimal(2))


def won(
    lives: list[Life],
    terms: list[Terms],
    kept: Mapping[str, Sequence[Span]] | None = None,
    since: float = 0.0,
    until: float = 10 * H,
) -> tuple[Saved, ...]:
    """Unless ``kept`` says otherwise, everybody is configured from their first terms on."""
    if kept is None:
        kept = {one.payer: [(one.since, until)] for one in reversed(terms)}
    return saved(lines(lives, terms, (), since, until, until), lives, terms, kept, since, until)


def test_one_instance_all_the_time_less_what_it_cost() -> None:
    [one] = won([Life("a", "a-1", 2 * H, 5 * H)], [Terms("a", 0, PRICE)])
    assert (one.always, one.cost, one.amount, one.since) == (20, 6, 14, 0)


def test_it_counts_since_poorwill_has_known_it() -> None:
    [one] = won([Life("a", "a-1", 5 * H, 6 * H)], [Terms("a", 4 * H, PRICE)])
    assert (one.since, one.always, one.amount) == (4 * H, 12, 10)
    [older] = won([Life("a", "a-1", 2 * H, 6 * H)], [Terms("a", 4 * H, PRICE)])
    assert (older.since, older.always) == (2 * H, 16)


def test_only_the_time_counts_in_which_it_was_configured() -> None:
    """And what was there without that changes nothing."""
    terms, kept = [Terms("a", 0, PRICE)], {"a": [(0.0, 3 * H), (6 * H, 8 * H)]}
    [one] = won([Life("a", "a-1", H, 2 * H)], terms, kept)
    assert (one.always, one.cost, one.amount) == (10, 2, 8)
    [drained] = won([Life("a", "a-1", H, 2 * H), Life("a", "a-1", 2.5 * H, 4 * H)], terms, kept)
    assert drained.amount == one.amount - 1
    [removed] = won([Life("a", "a-1", H, 2 * H)], terms, {})
    assert removed.amount == 0


def test_each_hour_at_its_price() -> None:
    [one] = won([], [Terms("a", 0, PRICE), Terms("a", 5 * H, Price("CNY", Decimal(3)))])
    assert one.amount == 25


def test_several_instances_may_cost_more_than_one_all_the_time() -> None:
    lives = [Life("a", f"a-{number}", 0, 10 * H) for number in range(3)]
    [one] = won(lives, [Terms("a", 0, PRICE)])
    assert one.amount == -40


def test_a_machine_counts_once_and_what_is_on_it_not_again() -> None:
    terms = [Terms("m", 0, PRICE, kind="machine"), Terms("a", 0, machine="m")]
    [one] = won([Life("m", "m-1", 0, 4 * H), Life("a", "a-1", H, 3 * H)], terms)
    assert (one.name, one.kind, one.cost, one.amount) == ("m", "machine", 8, 12)


def test_jobs_and_what_has_no_price_save_nothing() -> None:
    assert won([Life("a", "a-1", 0, H)], [Terms("a", 0, PRICE, kind="job"), Terms("b", 0)]) == ()
