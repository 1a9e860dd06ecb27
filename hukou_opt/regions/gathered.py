"""Faults that many regions share, said once: a list of five hundred lines is not read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hukou_opt.errors import Fault

#: Regions named in one message; up to so many each keep their own.
NAMED = 5
_PLACE = re.compile(r"^(?P<before>.*?), region (?P<code>[^,]+)(?P<after>.*)$")


def gathered(faults: Sequence[Fault]) -> list[Fault]:
    """Put faults that differ in the region only into one, where there are more than a few.

    Parameters
    ----------
    faults : sequence of Fault
        Faults whose place names the region as ``FILE, region CODE, ...``; others stay.
    """
    groups: dict[tuple[str, ...], list[tuple[str, Fault]]] = {}
    for number, fault in enumerate(faults):
        place = _PLACE.match(fault.where)
        key: tuple[str, ...] = (str(number), "")
        if place is not None:
            key = (place["before"], place["after"], fault.what, fault.fix)
        groups.setdefault(key, []).append(("" if place is None else place["code"], fault))
    found: list[Fault] = []
    for key, members in groups.items():
        if len(members) <= NAMED:
            found += [fault for _, fault in members]
            continue
        codes = ", ".join(code for code, _ in members[:NAMED])
        where = f"{key[0]}, {len(members)} regions ({codes}, ...){key[1]}"
        found.append(Fault(where, members[0][1].what, members[0][1].fix))
    return found
