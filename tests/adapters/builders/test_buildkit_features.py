import pytest

from promoter.adapters.builders.buildkit_features import Need, needs_buildkit


@pytest.mark.parametrize(
    ("instruction", "feature"),
    [
        ("RUN --mount=type=cache,target=/root/.cache make", "RUN --mount"),
        ("run --network=none make", "RUN --network"),
        ("RUN --security=insecure make", "RUN --security"),
        ("COPY --link a b", "COPY --link"),
        ("COPY --from=base --chmod=755 a b", "COPY --chmod"),
        ("COPY --chown=1:1 --parents a b", "COPY --parents"),
        ("COPY --exclude=*.md a b", "COPY --exclude"),
        ("ADD --chmod=755 a b", "ADD --chmod"),
        ("ADD --link=true a b", "ADD --link"),
        ("ADD --checksum=sha256:00 https://example.com/a b", "ADD --checksum"),
        ("ONBUILD RUN --mount=type=cache,target=/x make", "RUN --mount"),
        ("RUN <<EOF\necho hi\nEOF", "RUN with a here-document (<<EOF)"),
        ("RUN cat <<-'END' > /x\nhi\nEND", "RUN with a here-document (<<-'END')"),
        ("COPY <<page.html /srv/\nhi\npage.html", "COPY with a here-document (<<page.html)"),
        ("ADD https://example.com/acme/shop.git#main /src", "ADD of a git repository"),
        ("FROM --platform=$BUILDPLATFORM alpine AS build", "FROM --platform=$BUILDPLATFORM"),
        ("FROM --platform=${TARGETPLATFORM} alpine", "FROM --platform=$TARGETPLATFORM"),
        ("RUN \\\n  --mount=type=cache,target=/x \\\n  make", "RUN --mount"),
    ],
)
def test_what_needs_it(instruction: str, feature: str) -> None:
    assert needs_buildkit(f"# a comment\n\nFROM scratch\n{instruction}\n") == Need(4, feature)


@pytest.mark.parametrize(
    "instruction",
    [
        "# RUN --mount=type=cache make",
        "RUN make --mount=x --network=host",
        "RUN sh -c 'cat <<EOF'",
        'RUN ["sh", "-c", "cat <<EOF"]',
        "RUN echo $((1 <<4)) $((1 << 4)) $((1<<A))",
        "RUN grep x <<< word",
        "COPY --from=base --chown=1:1 a b",
        "ADD --chown=1:1 https://example.com/a.tar b",
        "LABEL about='COPY --link a b'",
        "ENV X=<<EOF",
        "CMD cat <<EOF",
        "RUN make \\\n# RUN --mount=type=cache x\n  && true",
        "RUN echo \\\n  RUN --mount=type=cache",
        "FROM --platform=linux/amd64 alpine",
        "FROM --platform=${BUILDPLATFORM:-linux/amd64} alpine",
        "",
    ],
)
def test_what_does_not(instruction: str) -> None:
    assert needs_buildkit(f"# syntax=docker/dockerfile:1\nFROM scratch\n{instruction}\n") is None


def test_an_argument_with_a_value_replaces_the_automatic_one() -> None:
    text = "ARG BUILDPLATFORM=linux/amd64\nFROM --platform=$BUILDPLATFORM alpine\n"
    assert needs_buildkit(text) is None
    assert needs_buildkit(text.replace("=linux/amd64", "")) == Need(2, "FROM --platform=$BUILDPLATFORM")
    assert needs_buildkit(text.replace("=linux/amd64", ""), {"BUILDPLATFORM"}) is None


def test_another_escape_character() -> None:
    text = "# escape=`\nFROM scratch\nRUN dir c:\\\nRUN `\n --mount=type=cache,target=/x make\n"
    assert needs_buildkit(text) == Need(4, "RUN --mount")


def test_the_first_line_that_needs_buildkit_is_reported() -> None:
    text = "FROM scratch\r\nRUN a \\\r\n\r\n  b\r\nCOPY --link a b\r\nRUN --mount=type=cache x\r\n"
    assert needs_buildkit(text) == Need(5, "COPY --link")


def test_a_last_line_that_never_ends() -> None:
    assert needs_buildkit("FROM scratch\nRUN --mount=type=cache x \\") == Need(2, "RUN --mount")
