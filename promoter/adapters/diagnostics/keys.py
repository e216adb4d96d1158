"""The key that signs votes: whether it exists, its owner, and where the owner may vote."""

from collections.abc import Iterator
from pathlib import Path

from promoter.adapters.actor import who
from promoter.adapters.diagnostics.finding import Finding
from promoter.adapters.diagnostics.subject import Subject
from promoter.adapters.ssh import client
from promoter.adapters.ssh.signer import git_signing_key
from promoter.config.regular_file import home_of, is_file
from promoter.gates.approval.rule import Approval, electorate
from promoter.gates.approval.ssh.trust import Trust
from promoter.model.vote import Grade

PART = "signing key"


def check(subject: Subject) -> Iterator[Finding]:
    wanted = _signed(subject)
    name = subject.settings.key or git_signing_key(subject.directory)
    if name is None:
        if wanted:
            yield Finding(
                PART,
                False,
                False,
                f"none, but {', '.join(wanted)} needs signed approvals",
                "set one: PROMOTER_KEY=~/.ssh/id_ed25519, or git's user.signingKey with gpg.format ssh",
            )
        return
    file = home_of(name)
    if not is_file(file):
        yield Finding(
            PART, False, False, f"{file} does not exist", "set PROMOTER_KEY to a private key, or the .pub of one in your agent"
        )
        return
    mark = client.fingerprint(str(file))
    if mark is None:
        yield Finding(PART, False, False, f"{file} is not an SSH key that ssh-keygen reads", "create one: ssh-keygen -t ed25519")
        return
    yield _assessed(subject, file, mark)


def _assessed(subject: Subject, file: Path, mark: str) -> Finding:
    actor = who(subject.settings, subject.directory, subject.environ)
    trust = subject.loaded.pipeline.trust if subject.loaded else None
    if trust is None:
        return Finding(PART, True, False, f"{file}, {mark}; this pipeline has no `approvers` to check it with")
    owners = owners_of(trust, mark)
    if not owners:
        return Finding(
            PART,
            False,
            False,
            f"{file}, {mark}, is not in allowed_signers",
            f"have the owner of {_shown(subject)} add: {actor} $(cut -d' ' -f1,2 {_public(file)})",
        )
    if actor not in owners:
        return Finding(
            PART,
            False,
            False,
            f"{file}, {mark}, is the key of {', '.join(owners)}, and you are {actor}",
            f"vote as yourself: --actor {owners[0]}, or PROMOTER_ACTOR",
        )
    environments = may_vote(subject, actor)
    return Finding(
        PART, True, False, f"{file}, {mark}, of {actor}, who may approve {', '.join(environments) or 'no environment'}"
    )


def owners_of(trust: Trust, mark: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for signer in trust.signers if signer.key.fingerprint == mark for name in signer.principals))


def may_vote(subject: Subject, actor: str) -> tuple[str, ...]:
    """Return environments with an approval that this person may give."""
    assert subject.loaded is not None
    pipeline = subject.loaded.pipeline
    signers = None if pipeline.trust is None else pipeline.trust.principals()
    return tuple(
        environment.name
        for environment in subject.environments
        for gate in environment.gates
        if isinstance(gate, Approval) and ((people := electorate(gate, pipeline.roles, signers)) is None or actor in people)
    )


def _signed(subject: Subject) -> list[str]:
    return [
        environment.name
        for environment in subject.environments
        if any(isinstance(gate, Approval) and gate.grade is Grade.SIGNED for gate in environment.gates)
    ]


def _shown(subject: Subject) -> str:
    approvers = subject.loaded.pipeline.approvers if subject.loaded else None
    return str(approvers or "the signers' file")


def _public(file: Path) -> str:
    return str(file) if file.suffix == ".pub" else f"{file}.pub"
