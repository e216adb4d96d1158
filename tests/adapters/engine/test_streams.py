import io
import json
import struct
import threading

import pytest
import requests
import urllib3

from promoter.adapters.engine import streams
from promoter.model.errors import PullError, PushError
from promoter.model.images import Digest

DIGEST = Digest("a" * 64)
PUSHED = {"status": f"v1: digest: {DIGEST} size: 528"}


class Body(io.BytesIO):
    """Closes itself at its end, as the body of an HTTP answer does."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if not data or size in (None, -1):
            self.close()
        return data


def answer(data: bytes) -> requests.Response:
    made = requests.Response()
    made.status_code = 200
    made.raw = urllib3.HTTPResponse(Body(data), preload_content=False)
    return made


def lines(*documents: object, raw: bytes = b"", kind: type = PullError):
    data = b"".join(json.dumps(document).encode() + b"\r\n" for document in documents)
    return streams.read(lambda: answer(data + raw), "x could not be moved", kind)


def silent(*_: object) -> None: ...


def test_each_object_is_given_however_they_are_cut():
    glued = streams.read(lambda: answer(b'{"a": 1}{"b": 2}\n\n {"c": "\xc3\xa9"}'), "x")
    assert list(glued) == [{"a": 1}, {"b": 2}, {"c": "é"}]


FULL = "no space left on device"


@pytest.mark.parametrize(
    "bad", [{"error": FULL}, {"errorDetail": {"message": FULL}}, {"errorDetail": {"message": FULL}, "error": FULL}]
)
def test_an_error_inside_is_an_error(bad):
    with pytest.raises(PullError) as caught:
        list(lines({"status": "fine"}, bad))
    assert caught.value.message == "x could not be moved: no space left on device"
    assert "docker system df" in caught.value.hint and not caught.value.retryable


@pytest.mark.parametrize("bad", [{"error": ""}, {"errorDetail": {"code": 1}}])
def test_an_error_without_words_is_an_error(bad):
    with pytest.raises(PullError):
        list(lines(bad))


def test_a_stream_that_breaks_off_is_worth_a_retry():
    with pytest.raises(PullError) as caught:
        list(lines({"status": "fine"}, raw=b'{"status": "Dow'))
    assert caught.value.retryable


def test_a_push_gives_the_digest_of_its_last_line():
    output = []
    layer = {"id": "abc", "status": "Pushing", "progressDetail": {"current": 1, "total": 2}}
    aux = {"progressDetail": {}, "aux": {"Tag": "v1", "Digest": str(DIGEST), "Size": 528}}
    got = streams.follow_push(lines({"status": "The push refers"}, layer, PUSHED, aux), "x", lambda *words: output.append(words))
    assert got == DIGEST and output == [("abc", "Pushing", 1, 2)]


@pytest.mark.parametrize(
    "output",
    [
        [],
        [{"status": "v1: digest: sha256:abc size: 5"}],
        [{"aux": {"Digest": str(DIGEST)}}],
        [PUSHED, {"aux": {"Digest": "sha256:" + "b" * 64}}],
        [PUSHED, {"aux": {"manifestPushedInsteadOfIndex": True, "originalIndex": {}, "selectedManifest": {}}}],
    ],
)
def test_a_push_that_does_not_name_one_digest_is_an_error(output):
    with pytest.raises(PushError):
        streams.follow_push(lines(*output, kind=PushError), "x", silent)


def test_a_pull_succeeds_only_with_the_requested_digest():
    assert streams.follow_pull(lines({"status": f"Digest: {DIGEST}"}), DIGEST, silent)
    assert not streams.follow_pull(lines({"status": "Downloaded"}), DIGEST, silent)
    with pytest.raises(PullError, match="expected sha256:"):
        streams.follow_pull(lines({"status": "Digest: sha256:" + "b" * 64}), DIGEST, silent)


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (frame(1, b"out\n") + frame(2, b"err\n"), "out\nerr\n"),
        (frame(1, b"cut off")[:-3], "cut "),
        (b"plain words of a terminal\r\n", "plain words of a terminal\r\n"),
        (b"tiny", "tiny"),
        (frame(1, b"\xff"), "\ufffd"),
    ],
)
def test_frames_become_text(data, text):
    assert streams.demultiplex(data) == text


def test_frames_are_decoded_wherever_they_are_cut():
    frames = [(1, "né"), (2, "err"), (1, ""), (1, "\n")]
    data = b"".join(struct.pack(">BxxxL", stream, len(text.encode())) + text.encode() for stream, text in frames)
    for size in (1, 3, len(data)):
        reader = streams.Frames()
        found = [part for at in range(0, len(data), size) for part in reader.feed(data[at : at + size])]
        assert found == [("stdout", "né"), ("stderr", "err"), ("stdout", "\n")]


def test_a_character_may_be_cut_between_two_frames():
    reader = streams.Frames()
    data = "é".encode()
    parts = [reader.feed(struct.pack(">BxxxL", 1, 1) + data[at : at + 1]) for at in (0, 1)]
    assert [piece for part in parts for piece in part] == [("stdout", "é")]


def test_a_reader_that_waits_for_a_slow_caller_ends():
    def endless():
        while True:
            yield b"x"

    pieces = streams.arriving(lambda: answer(b""), lambda: None, lambda _: endless())
    assert next(pieces) == b"x"
    reader = next(t for t in threading.enumerate() if isinstance(t, streams._Reader))
    reader.pieces.put(b"x")  # returns when there is space: the reader has read ahead as far as allowed
    pieces.close()
    assert not reader.is_alive()
