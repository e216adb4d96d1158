"""Names of people: groups under `roles`, and other names of one person under `identities`."""

from collections.abc import Iterator, Mapping, Sequence

from promoter.config.yaml.scalars import kind_of
from promoter.model.names import fault_in, skeleton, spelled
from promoter.model.visible_text import visible
from promoter.pipeline.approvers import WILD
from promoter.pipeline.problems import Complaints, Spot
from promoter.pipeline.sources import entries


def read_roles(roles: object, spot: Spot, complaints: Complaints) -> dict[str, tuple[str, ...]]:
    return dict(_named(roles, spot, complaints, "role `{}` must be a list of people", "ana@example.com"))


def read_identities(identities: object, spot: Spot, complaints: Complaints) -> dict[str, tuple[str, ...]]:
    """Return each person with their other names: logins on the platform, older addresses."""
    people = dict(_named(identities, spot, complaints, "the names of {} must be a list", "ana-dev"))
    persons = {who.casefold(): who for who in people}
    claimed: dict[str, str] = {}
    for who, names in people.items():
        for index, name in enumerate(names):
            at = spot / who if isinstance(identities, dict) and isinstance(identities[who], str) else spot / who / index
            other = claimed.setdefault(name.casefold(), who)
            if other != who:
                message = f"{name} is already a name of {other}; a name must belong to one person"
                complaints.add(at, message, "remove it from the other person")
            elif persons.get(name.casefold(), who) != who:
                complaints.add(
                    at, f"{name} is also listed as a person; a name must belong to one person", "combine the two entries"
                )
    return people


def check_names(name: str, spot: Spot, people: dict[str, tuple[str, ...]], complaints: Complaints) -> None:
    """Check that people are named by their main name: other names are not looked up here."""
    whose = next((who for who, names in people.items() if name.casefold() in (n.casefold() for n in names)), None)
    if whose is not None and name != whose:
        complaints.add(spot, f"{name} is another name of {whose} under `identities`", f"write {whose}")


def _named(
    part: object, spot: Spot, complaints: Complaints, expected: str, example: str
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each entry with its list of names. A single name may be written without brackets."""
    for key, value, at in entries(part, spot, complaints):
        names = (value,) if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not names:
            found = "an empty list" if value == [] else kind_of(value)
            complaints.add(at, f"{expected.format(key)}, got {found}", f"write [{example}]")
            continue
        good = []
        for index, name in enumerate(names):
            if not isinstance(name, str) or any(sign in name for sign in WILD):
                message = f"expected the name of one person, got {kind_of(name)}"
                complaints.add(at / index, message, f"write for example {example}")
            else:
                good.append(name)
        yield key, tuple(dict.fromkeys(good))


def check_people(people: Mapping[str, tuple[str, ...]], named: Sequence[tuple[str, Spot]], complaints: Complaints) -> None:
    """Check that names are readable and do not look the same: people are counted by their names.

    `named` are all names with their positions. Names that `identities` give to one person may look the same.
    """
    whose = {name: who for who, names in people.items() for name in (who, *names)}
    first: dict[str, str] = {}
    reported = set[str]()
    for name, spot in named:
        if name in reported:
            continue
        if (fault := fault_in(name)) is not None:
            reported.add(name)
            complaints.add(spot, f"{visible(name)} is not a valid name of a person: {fault}", "type the name again by hand")
            continue
        other = first.setdefault(skeleton(name), name)
        if name in whose and other in whose and name.casefold() == other.casefold():
            continue  # errors of `identities` are reported where it is read
        if other != name and whose.get(other, other) != whose.get(name, name):
            reported.add(name)
            message = f"{spelled(name)} looks like {spelled(other)}, but people are counted by their names"
            complaints.add(
                spot, message, "write each person's name in one way, or list both names of the person under `identities`"
            )
