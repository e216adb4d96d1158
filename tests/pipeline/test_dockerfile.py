import pytest

from promoter.pipeline.dockerfile import base_images


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("FROM scratch\n", ()),
        ("FROM alpine:3 AS base\nFROM base\nCOPY --from=base a b\nCOPY --from=0 a b\n", ("alpine:3",)),
        (
            "FROM a.example.com/x AS one\nFROM scratch\nCOPY --chown=1 --from=b.example.com/y a b\n",
            ("a.example.com/x", "b.example.com/y"),
        ),
        ("FROM --platform=linux/amd64 alpine\nFROM alpine\n", ("alpine",)),
        ("ARG HOST=r.example.com\nARG TAG='3'\nFROM ${HOST}/x:$TAG\n", ("r.example.com/x:3",)),
        ("ARG BASE\nFROM $BASE\n", ("given.example.com/x",)),
        ("ARG BASE=default\nFROM $BASE\n", ("given.example.com/x",)),
        ("FROM ${OTHER:-fallback}\n", ("fallback",)),
    ],
)
def test_base_images(text: str, images: tuple[str, ...]) -> None:
    assert base_images(text, {"BASE": "given.example.com/x"}) == images
