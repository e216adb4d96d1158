"""Access to values of JSON documents, whose types are known only at run time."""

from collections.abc import Mapping, Sequence


def value_at(document: object, *path: str | int) -> object:
    """Return the value at the end of the path: a string is a key of an object, a number an index of a list."""
    for part in path:
        if isinstance(part, int):
            assert isinstance(document, Sequence), f"{path}: no list at {part}"
            document = document[part]
        else:
            assert isinstance(document, Mapping), f"{path}: no object at {part}"
            document = document[part]
    return document


def object_at(document: object, *path: str | int) -> Mapping[str, object]:
    """Return the object at the end of the path."""
    found = value_at(document, *path)
    assert isinstance(found, Mapping)
    return found


def objects_at(document: object, *path: str | int) -> list[Mapping[str, object]]:
    """Return the objects in the list at the end of the path."""
    found = value_at(document, *path)
    assert isinstance(found, Sequence)
    assert all(isinstance(one, Mapping) for one in found)
    return list(found)
