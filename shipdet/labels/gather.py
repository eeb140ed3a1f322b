"""What a reader gathers from a file, thing by thing: ships, places to ignore, and what it has to say about the rest."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from shipdet.labels.classes import is_no_ship
from shipdet.labels.outline import area_of
from shipdet.labels.types import Labels, Note, Outline, Reading, Ship

UPRIGHT = "upright boxes, which give no ends, became places to ignore"
NO_AREA = "dropped, an outline without area"


@dataclass
class Gathered:
    """Ships and places so far.

    `classes` names the classes to take, in lower case; None takes all but what is known to be no ship.
    """

    classes: Collection[str] | None = None
    ships: list[Ship] = field(default_factory=list)
    ignored: list[Outline] = field(default_factory=list)
    regions: list[Sequence[float]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def takes(self, *names: str) -> bool:
        """Whether a thing of a class, by any of its names, is a ship to take; counted where it is not."""
        if self.classes is None:
            why = f"dropped, {names[0]} is no ship" if is_no_ship(names[0]) else ""
        else:
            wanted = any(name.lower() in self.classes for name in names)
            why = "" if wanted else f"dropped, {names[0] or 'no class'} is not among the classes taken"
        if why:
            self.drop(why)
        return not why

    def add(self, ship: Ship | None) -> None:
        """Takes a ship; None stands for an outline without area."""
        if ship is None:
            self.drop(NO_AREA)
        else:
            self.ships.append(ship)

    def ignore(self, drawn: Outline, why: str) -> None:
        """Takes a place where nobody told the ends of ships."""
        area = area_of(drawn)
        if area is None:
            self.drop(NO_AREA)
            return
        self.ignored.append(area)
        self.counts[why] += 1

    def drop(self, why: str) -> None:
        """Counts what was left out."""
        self.counts[why] += 1

    def reading(self, *, complete: bool = True) -> Reading:
        """All that was gathered; notes in the order of first mention."""
        labels = Labels.of_rows(self.ships, self.regions, complete=complete, ignore=self.ignored)
        return Reading(labels, tuple(Note(what, count) for what, count in self.counts.items() if count))
