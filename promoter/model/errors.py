"""Two families of errors: the caller's fault, and the world's. A shut gate is neither, it is a verdict.

Every message says what is wrong and, in `hint`, what to do. The command line maps `exit_code`; nothing else
decides on the text of a message.
"""

from dataclasses import dataclass

from promoter.model.verdict import ReasonCode


class PromoterError(Exception):
    """What promoter raises on purpose. `exit_code` is the process's, `reason_code` the stable word for it."""

    exit_code = 1
    reason_code: ReasonCode | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class CallerError(PromoterError):
    """You asked for something that cannot be: a bad file, a bad argument, an unknown name."""

    exit_code = 2


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One fault of a file. `line` and `column` count from 1; `text` is the line itself, for the caret."""

    file: str
    line: int
    column: int
    message: str
    hint: str | None = None
    text: str = ""

    def __str__(self) -> str:
        head = f"{self.file}:{self.line}:{self.column}: {self.message}"
        if self.text.strip():
            margin = f"{self.line} | "
            caret = " " * (len(margin) + self.column - 1) + "^"
            head += f"\n  {margin}{self.text}\n  {caret}"
        return head + (f"\n  {self.hint}" if self.hint else "")


class InvalidFile(CallerError):
    """All the complaints about a pipeline file (and the files it names), in the order of the text."""

    def __init__(self, complaints: tuple[Diagnostic, ...]) -> None:
        super().__init__("\n".join(str(c) for c in complaints))
        self.complaints = complaints


class Refused(PromoterError):
    """A person or a rule said no to what was asked, outside a promotion (for example a vote after a reject)."""

    exit_code = 4

    def __init__(self, message: str, code: ReasonCode, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason_code = code


class SigningError(CallerError):
    """A statement could not be signed: no such key, a wrong passphrase, no answer from the agent."""


class WorldError(PromoterError):
    """The engine, registry, disk or network failed us. `retryable` says whether trying again may help."""

    retry_after: float | None = None
    """Seconds that whoever refused asks to be left alone for."""
    lost = False
    """Whether the engine's answer broke off, so that it is unknown what the engine did last."""

    def __init__(self, message: str, *, hint: str | None = None, retryable: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class EngineError(WorldError):
    """A Docker engine could not be reached or refused."""


class EngineLost(Exception):
    """The engine went away in the middle of a promotion. Nothing is undone or recorded: whoever carries on sees what is there."""

    def __init__(self, error: EngineError) -> None:
        super().__init__(error.message)
        self.error = error


class StartError(EngineError):
    """A container could not be created or started."""

    reason_code = ReasonCode.START_FAILED


class PullError(EngineError):
    """An image could not be pulled by its digest."""

    reason_code = ReasonCode.PULL_FAILED


class PushError(EngineError):
    """An image could not be pushed, or the push named no digest."""

    reason_code = ReasonCode.PUSH_FAILED


class BuildError(WorldError):
    """A Dockerfile could not be built."""

    reason_code = ReasonCode.BUILD_FAILED


class RegistryError(WorldError):
    """A registry is down, refuses the credentials, or does not have what was asked for.

    Where an image was to be pushed there, `reason_code` says that instead.
    """

    reason_code = ReasonCode.PULL_FAILED


class DigestMismatch(RegistryError):
    """The bytes are not those of the digest."""

    reason_code = ReasonCode.DIGEST_MISMATCH


class SecretError(WorldError):
    """A declared secret could not be had."""


class ForgeError(WorldError):
    """The platform that runs the jobs is down, refuses the token, or does not have what was asked for."""

    def __init__(
        self, message: str, *, hint: str | None = None, retryable: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint=hint, retryable=retryable)
        self.retry_after = retry_after


class LedgerError(WorldError):
    """The ledger cannot be read or written, or its chain is broken."""


class LedgerBroken(LedgerError):
    """A line of it is not what it was: `problem` says which and how."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(
            f"the ledger {where} is broken: {problem}",
            hint="`promoter ledger verify` shows where; a backup or an export can take its place",
        )
        self.problem = problem


class HeadMoved(LedgerError):
    """Somebody else appended first: read again, judge again, try again."""


class LeaseHeld(PromoterError):
    """Another run holds the environment."""

    exit_code = 5
    reason_code = ReasonCode.LOCK_HELD

    def __init__(self, environment: str, owner: str, since: str) -> None:
        super().__init__(
            f"another run holds {environment}: {owner}, since {since}",
            hint="wait for it to end, then run the same command again",
        )
        self.environment, self.owner, self.since = environment, owner, since


class LeaseLost(LedgerError):
    """Our lease on an environment was taken over; nothing more may be done under it."""

    reason_code = ReasonCode.LOCK_HELD


class Interrupted(PromoterError):
    """Ctrl-C, SIGTERM or SIGHUP."""

    exit_code = 130
    reason_code = ReasonCode.INTERRUPTED

    def __init__(self, message: str = "interrupted") -> None:
        super().__init__(message)
