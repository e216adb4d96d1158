import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoter.pipeline.compose.merge import merge

RULES = [
    ("one value gives way", {"image": "a", "user": "x"}, {"image": "b"}, {"image": "b", "user": "x"}),
    (
        "commands are replaced",
        {"command": ("a",), "entrypoint": ("b",)},
        {"command": ("c",)},
        {"command": ("c",), "entrypoint": ("b",)},
    ),
    (
        "a test is replaced, its timing stays",
        {"healthcheck": {"test": ("CMD", "a"), "retries": 3}},
        {"healthcheck": {"test": ("NONE",)}},
        {"healthcheck": {"test": ("NONE",), "retries": 3}},
    ),
    (
        "maps are merged",
        {"environment": {"A": "1", "B": "2"}},
        {"environment": {"B": "3", "C": "4"}},
        {"environment": {"A": "1", "B": "3", "C": "4"}},
    ),
    (
        "maps in maps too",
        {"deploy": {"resources": {"limits": {"cpus": 1.0}}}},
        {"deploy": {"resources": {"limits": {"memory": 5}}, "replicas": 2}},
        {"deploy": {"resources": {"limits": {"cpus": 1.0, "memory": 5}}, "replicas": 2}},
    ),
    (
        "lists are appended",
        {"build": {"cache_from": ("a",)}},
        {"build": {"cache_from": ("b",)}},
        {"build": {"cache_from": ("a", "b")}},
    ),
    ("what can stand only once is not doubled", {"cap_add": ("A", "B")}, {"cap_add": ("B", "C")}, {"cap_add": ("A", "B", "C")}),
    (
        "other ports are added",
        {"ports": ({"target": 80, "published": 1},)},
        {"ports": ({"target": 80, "published": 2},)},
        {"ports": ({"target": 80, "published": 1}, {"target": 80, "published": 2})},
    ),
    (
        "the same port stands once",
        {"ports": ({"target": 80, "published": 1, "protocol": "tcp"},)},
        {"ports": ({"target": 80, "published": 1, "mode": "host"},)},
        {"ports": ({"target": 80, "published": 1, "protocol": "tcp", "mode": "host"},)},
    ),
    (
        "volumes are known by their target",
        {"volumes": ({"type": "volume", "source": "a", "target": "/x"}, {"type": "volume", "target": "/y"})},
        {"volumes": ({"type": "bind", "source": "/b", "target": "/x"},)},
        {"volumes": ({"type": "bind", "source": "/b", "target": "/x"}, {"type": "volume", "target": "/y"})},
    ),
    (
        "secrets too",
        {"secrets": ({"source": "a", "target": "/x", "uid": 1},)},
        {"secrets": ({"source": "b", "target": "/x"},)},
        {"secrets": ({"source": "b", "target": "/x", "uid": 1},)},
    ),
    # compose.md D13: options of one log driver do not apply to another
    (
        "another log driver drops the options",
        {"logging": {"driver": "json-file", "options": {"max-size": "1m"}}},
        {"logging": {"driver": "syslog", "options": {"tag": "x"}}},
        {"logging": {"driver": "syslog", "options": {"tag": "x"}}},
    ),
    (
        "the same log driver keeps them",
        {"logging": {"driver": "json-file", "options": {"max-size": "1m"}}},
        {"logging": {"driver": "json-file", "options": {"max-file": "2"}}},
        {"logging": {"driver": "json-file", "options": {"max-size": "1m", "max-file": "2"}}},
    ),
    (
        "so does one that is not named",
        {"logging": {"options": {"max-size": "1m"}}},
        {"logging": {"driver": "json-file"}},
        {"logging": {"driver": "json-file", "options": {"max-size": "1m"}}},
    ),
    (
        "an address stands once for a host",
        {"extra_hosts": {"h": ("1", "2")}},
        {"extra_hosts": {"h": ("2", "3"), "i": ("1",)}},
        {"extra_hosts": {"h": ("1", "2", "3"), "i": ("1",)}},
    ),
    (
        "env files are appended",
        {"env_file": ({"path": "/a"},)},
        {"env_file": ({"path": "/b"},)},
        {"env_file": ({"path": "/a"}, {"path": "/b"})},
    ),
]


@pytest.mark.parametrize(("base", "over", "merged"), [r[1:] for r in RULES], ids=[r[0] for r in RULES])
def test_composes_rules(base, over, merged):
    assert merge(base, over) == merged


@pytest.mark.parametrize(
    ("base", "over", "marks", "merged"),
    [
        ({"ports": (1,), "user": "x"}, {}, {("ports",): "reset"}, {"user": "x"}),
        ({"environment": {"A": "1", "B": "2"}}, {}, {("environment", "A"): "reset"}, {"environment": {"B": "2"}}),
        ({"environment": {"A": "1"}}, {"environment": {"C": "3"}}, {("environment", "A"): "reset"}, {"environment": {"C": "3"}}),
        ({"environment": {"A": "1"}}, {"environment": {"C": "3"}}, {("environment",): "override"}, {"environment": {"C": "3"}}),
        ({"cap_add": ("A",)}, {"cap_add": ("B",)}, {("cap_add",): "override"}, {"cap_add": ("B",)}),
        (
            {"deploy": {"resources": {"limits": {"cpus": 1.0}}}},
            {},
            {("deploy", "resources", "limits"): "reset"},
            {"deploy": {"resources": {}}},
        ),
        ({}, {}, {("ports",): "reset", ("a", "b"): "reset"}, {}),
    ],
)
def test_reset_and_override(base, over, marks, merged):
    assert merge(base, over, marks) == merged


TEXTS = st.text("abc", min_size=1, max_size=2)
MAPS = st.dictionaries(TEXTS, TEXTS, max_size=3)
SERVICES = st.fixed_dictionaries(
    {},
    optional={
        "image": TEXTS,
        "command": st.lists(TEXTS, max_size=2).map(tuple),
        "environment": MAPS,
        "labels": MAPS,
        "cap_add": st.lists(TEXTS, unique=True, max_size=3).map(tuple),
        "healthcheck": st.fixed_dictionaries(
            {}, optional={"test": st.lists(TEXTS, min_size=1, max_size=2).map(tuple), "retries": st.integers(1, 3)}
        ),
        "volumes": st.lists(
            st.fixed_dictionaries({"type": st.just("volume"), "target": TEXTS}, optional={"source": TEXTS}),
            max_size=3,
            unique_by=lambda m: m["target"],
        ).map(tuple),
        "ports": st.lists(
            st.fixed_dictionaries({"target": st.integers(1, 3)}, optional={"published": st.integers(1, 2)}),
            max_size=3,
            unique_by=lambda p: (p["target"], p.get("published")),
        ).map(tuple),
    },
)


@given(SERVICES)
def test_nothing_changes_nothing(service):
    assert merge(service, {}) == service
    assert merge({}, service) == service
    assert merge(service, service) == service


@given(SERVICES, SERVICES, SERVICES)
def test_layers_can_be_laid_in_any_grouping(one, two, three):
    assert merge(merge(one, two), three) == merge(one, merge(two, three))


@given(SERVICES, SERVICES)
def test_neither_layer_is_changed_and_the_later_one_wins(base, over):
    before = (repr(base), repr(over))
    merged = merge(base, over)
    assert (repr(base), repr(over)) == before
    assert merged.keys() == base.keys() | over.keys()
    assert {k: merged["environment"][k] for k in over.get("environment", {})} == over.get("environment", {})
    assert all(merged[key] == over[key] for key in ("image", "command") if key in over)
