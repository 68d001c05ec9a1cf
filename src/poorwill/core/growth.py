"""How what is used goes on with the lives that go on: as a bill counts it, in the steps that are paid.

What is paid already, a begun minute or a minimum, grows no more until the next step begins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from poorwill.core.price import Price
from poorwill.core.tariff import rounding


@dataclass(frozen=True, slots=True)
class Growth:
    """One life: ``per_micro`` is what a microsecond of it is, in the unit of what is used; it was ``length``
    microseconds long. Without ``price`` every moment counts as it goes by. ``fresh``: it begins now, and what
    is paid as soon as it does is not counted yet.
    """

    per_micro: Fraction
    price: Price | None = None
    length: int = 0
    fresh: bool = False

    def after(self, micros: int) -> Fraction:
        """What is added by so many microseconds more."""
        counted = 0 if self.fresh else self.beyond(0)
        return self.per_micro * (micros + self.beyond(micros) - counted)

    def later(self, micros: int) -> Growth:
        return replace(self, length=self.length + micros, fresh=False)

    def beyond(self, micros: int) -> int:
        """Microseconds that are paid although they are not gone by."""
        return 0 if self.price is None else rounding(self.price, self.length + micros)


@dataclass(frozen=True, slots=True)
class PartGrowth:
    """One guest's part of what ``machine`` comes to (see ``core.parts``): of ``idle``, what it cost while
    nobody was there, it pays as ``mine`` is to ``all_of_them`` (microseconds that guests were there).

    ``here``: it is there; ``many`` are, and all of them stay.
    """

    machine: Growth
    idle: Fraction = Fraction(0)
    mine: int = 0
    all_of_them: int = 0
    here: bool = False
    many: int = 0

    def after(self, micros: int) -> Fraction:
        """What is added by so many microseconds more. It may be less than nothing: others pay a part."""
        direct = self.machine.per_micro * micros / self.many if self.here else Fraction(0)
        counted = Fraction(0) if self.machine.fresh else self._by_the_time(0)
        return direct + self._by_the_time(micros) - counted

    def later(self, micros: int) -> PartGrowth:
        return replace(
            self,
            machine=self.machine.later(micros),
            idle=self.idle + (0 if self.many else self.machine.per_micro * micros),
            mine=self.mine + self.here * micros,
            all_of_them=self.all_of_them + self.many * micros,
        )

    def _by_the_time(self, micros: int) -> Fraction:
        present = self.all_of_them + self.many * micros
        alone = 0 if self.many else micros
        idle = self.idle + self.machine.per_micro * (alone + self.machine.beyond(micros))
        return idle * (self.mine + self.here * micros) / present if present else Fraction(0)


Grows = Growth | PartGrowth
