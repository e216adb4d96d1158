"""The statement that a person signs: in-toto v1, binding one decision to digests, plan, environment and current release.

The exact text counts: it is written once, in RFC 8785, and kept as it was signed. Reading is strict: a
statement with an unknown part is refused, because this version could misunderstand it.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from promoter.model.canonical_json import canonical, sha256_hex
from promoter.model.dataclass import dataclass
from promoter.model.labels import APPROVAL_TYPE, STATEMENT_TYPE
from promoter.model.release import Release
from promoter.model.timestamps import read_stamp, stamp

NAMESPACE = "promoter-approval"
"""The namespace of `ssh-keygen -Y sign -n`. A signature for another namespace is not a vote."""
LARGEST = 256 * 1024
"""Maximum bytes. A statement has a line for each image and a comment, and is never larger."""


class Decision(StrEnum):
    """What was decided. `review` confirms an override."""

    APPROVE = "approve"
    REJECT = "reject"
    OVERRIDE = "override"
    REVIEW = "review"


@dataclass(frozen=True)
class Envelope:
    """A statement as it was signed, and the armored SSH signature over exactly these bytes."""

    statement: str
    signature: str

    @property
    def identity(self) -> str:
        """Return the identity of a statement, which is equal for every copy of it."""
        return f"sha256:{sha256_hex(self.statement.encode())}"


@dataclass(frozen=True)
class Statement:
    """One decision. `subject` maps each service's repository to the hex digest of its image."""

    subject: tuple[tuple[str, str], ...]
    decision: str
    pipeline: str
    environment: str
    release: str
    plan_digest: str
    from_release: str | None
    policy_digest: str
    requested_by: str
    principal: str
    role: str | None
    issued_at: datetime
    expires_at: datetime | None
    comment: str
    nonce: str
    ledger_head: str
    ledger_seq: int
    reviews: str | None = None
    """With a review: the digest of the `overridden` fact that it confirms."""

    def text(self) -> str:
        """Return the text to sign: RFC 8785, without a newline."""
        predicate: dict[str, object] = {name: getattr(self, name) for name in _TEXTS}
        predicate |= {
            "from": self.from_release,
            "role": self.role,
            "issued_at": stamp(self.issued_at),
            "expires_at": stamp(self.expires_at) if self.expires_at else None,
            "ledger_seq": self.ledger_seq,
        }
        if self.reviews is not None:
            predicate["reviews"] = self.reviews
        document = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in self.subject],
            "predicateType": APPROVAL_TYPE,
            "predicate": predicate,
        }
        return canonical(document).decode()


_TEXTS = (
    "decision",
    "pipeline",
    "environment",
    "release",
    "plan_digest",
    "policy_digest",
    "requested_by",
    "principal",
    "comment",
    "nonce",
    "ledger_head",
)
_KEYS = frozenset({*_TEXTS, "from", "role", "issued_at", "expires_at", "ledger_seq"})


def subject_of(release: Release) -> tuple[tuple[str, str], ...]:
    """Return every image of a release, sorted. An image that two services share appears once."""
    images = {(str(image.repository), str(image.digest).removeprefix("sha256:")) for image in release.images.values()}
    return tuple(sorted(images))


def read_statement(text: str) -> Statement:
    """Read a statement. Raise ValueError with the reason if it is invalid."""
    if len(text) > LARGEST:
        raise ValueError(f"it is longer than {LARGEST // 1024} KiB")
    try:
        document = json.loads(text)
        exact = canonical(document).decode() == text
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    if not exact:
        raise ValueError("it is not in canonical form (RFC 8785)")
    if not isinstance(document, dict) or document.keys() != {"_type", "subject", "predicateType", "predicate"}:
        raise ValueError("it is not an in-toto statement")
    if (document["_type"], document["predicateType"]) != (STATEMENT_TYPE, APPROVAL_TYPE):
        raise ValueError(f"it is not an approval: its type is {document['predicateType']!r}")
    predicate = document["predicate"]
    if not isinstance(predicate, dict) or predicate.keys() - {"reviews"} != _KEYS:
        raise ValueError("its predicate does not have exactly the keys of an approval")
    return _statement(document["subject"], predicate)


def _statement(subject: object, predicate: Mapping[str, Any]) -> Statement:
    texts = {name: _text(predicate[name], name) for name in _TEXTS}
    seq = predicate["ledger_seq"]
    if type(seq) is not int or seq < 0:
        raise ValueError("its ledger_seq is not a whole number")
    if texts["decision"] not in tuple(Decision):
        raise ValueError(f"unknown decision {texts['decision']!r}")
    expires = _optional(predicate["expires_at"], "expires_at")
    return Statement(
        subject=_subject(subject),
        from_release=_optional(predicate["from"], "from"),
        role=_optional(predicate["role"], "role"),
        issued_at=_time(_text(predicate["issued_at"], "issued_at")),
        expires_at=None if expires is None else _time(expires),
        ledger_seq=seq,
        reviews=_optional(predicate.get("reviews"), "reviews"),
        **texts,
    )


def _subject(value: object) -> tuple[tuple[str, str], ...]:
    problem = ValueError("its subject is not a list of images with their digests")
    if not isinstance(value, list):
        raise problem
    found = []
    for one in value:
        if not isinstance(one, dict) or one.keys() != {"name", "digest"}:
            raise problem
        name, digest = one["name"], one["digest"]
        if not isinstance(name, str) or not isinstance(digest, dict) or digest.keys() != {"sha256"}:
            raise problem
        found.append((name, _text(digest["sha256"], "digest")))
    return tuple(found)


def _time(text: str) -> datetime:
    at = read_stamp(text)
    if stamp(at) != text:
        raise ValueError(f"{text!r} is not a time in UTC with microseconds")
    return at


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"its {name} is not a text")
    return value


def _optional(value: object, name: str) -> str | None:
    return None if value is None else _text(value, name)
