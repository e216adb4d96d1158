"""Who is who: groups of people under `roles`, and the other names of one person under `identities`."""

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
    """Each person with their other names: logins on the platform, older addresses."""
    people = dict(_named(identities, spot, complaints, "the names of {} must be a list", "ana-dev"))
    persons = {who.casefold(): who for who in people}
    claimed: dict[str, str] = {}
    for who, names in people.items():
        for place, name in enumerate(names):
            at = spot / who if isinstance(identities, dict) and isinstance(identities[who], str) else spot / who / place
            other = claimed.setdefault(name.casefold(), who)
            if other != who:
                message = f"{name} is a name of {other} already, and people are counted"
                complaints.add(at, message, "give it to the one whose it is")
            elif persons.get(name.casefold(), who) != who:
                complaints.add(at, f"{name} stands here as a person too, and people are counted", "make one person of the two")
    return people


def check_names(name: str, spot: Spot, people: dict[str, tuple[str, ...]], complaints: Complaints) -> None:
    """A person is named one way: by another name they would be found nowhere."""
    whose = next((who for who, names in people.items() if name.casefold() in (n.casefold() for n in names)), None)
    if whose is not None and name != whose:
        complaints.add(spot, f"{name} is another name of {whose}: `identities` says so", f"write {whose}")


def _named(part: object, spot: Spot, complaints: Complaints, due: str, example: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each entry with its list of names; a single name may stand without brackets."""
    for key, value, at in entries(part, spot, complaints):
        names = (value,) if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not names:
            found = "an empty list" if value == [] else kind_of(value)
            complaints.add(at, f"{due.format(key)}, and {found} stands here", f"write [{example}]")
            continue
        good = []
        for place, name in enumerate(names):
            if not isinstance(name, str) or any(sign in name for sign in WILD):
                message = f"{kind_of(name)} does not name one person: people are counted"
                complaints.add(at / place, message, f"write for example {example}")
            else:
                good.append(name)
        yield key, tuple(dict.fromkeys(good))


def check_people(people: Mapping[str, tuple[str, ...]], named: Sequence[tuple[str, Spot]], complaints: Complaints) -> None:
    """Nobody is called what cannot be read, and no two look alike: people are counted by their names.

    `named` are all names with their places; those that `identities` give to one person are that person's.
    """
    whose = {name: who for who, names in people.items() for name in (who, *names)}
    first: dict[str, str] = {}
    said = set[str]()
    for name, spot in named:
        if name in said:
            continue
        if (fault := fault_in(name)) is not None:
            said.add(name)
            complaints.add(spot, f"{visible(name)} is no name for a person: {fault}", "write the name anew, by hand")
            continue
        other = first.setdefault(skeleton(name), name)
        if name in whose and other in whose and name.casefold() == other.casefold():
            continue  # `identities` is complained about where it is read
        if other != name and whose.get(other, other) != whose.get(name, name):
            said.add(name)
            message = f"{spelled(name)} looks like {spelled(other)}, and people are counted by their names"
            complaints.add(spot, message, "spell one person one way; or say under `identities` that both are the same person")
