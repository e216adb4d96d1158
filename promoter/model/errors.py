"""Two families of errors: mistakes of the caller, and failures of outside systems. A closed gate is a verdict, not an error.

Every message says what is wrong, and `hint` says what to do. The command line uses `exit_code`; no code
depends on the text of a message.
"""

from promoter.model.dataclass import dataclass
from promoter.model.verdict import ReasonCode


class PromoterError(Exception):
    """The base of promoter's errors. `exit_code` is that of the process, `reason_code` is stable for programs."""

    exit_code = 1
    reason_code: ReasonCode | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class CallerError(PromoterError):
    """A mistake of the caller: an invalid file, an invalid argument, an unknown name."""

    exit_code = 2


@dataclass(frozen=True, order=True)
class Diagnostic:
    """One error in a file. `line` and `column` count from 1; `text` is the line, for the caret."""

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
    """All diagnostics of a pipeline file and the files that it names, in the order of the text."""

    def __init__(self, complaints: tuple[Diagnostic, ...]) -> None:
        super().__init__("\n".join(str(c) for c in complaints))
        self.complaints = complaints


class Refused(PromoterError):
    """A person or a rule refused a command outside a promotion, for example a vote after a reject."""

    exit_code = 4

    def __init__(self, message: str, code: ReasonCode, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason_code = code


class SigningError(CallerError):
    """A statement could not be signed: unknown key, wrong passphrase, no answer from the agent."""


class WorldError(PromoterError):
    """The engine, registry, disk or network failed. `retryable` says whether a retry may help."""

    retry_after: float | None = None
    """Seconds that the other side asks to wait before a retry."""
    lost = False
    """Whether the engine's response was cut off, so that its last action is unknown."""

    def __init__(self, message: str, *, hint: str | None = None, retryable: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class EngineError(WorldError):
    """A Docker engine could not be reached, or refused a request."""


class HostUnreachable(EngineError):
    """Engines of an environment with several hosts could not be reached."""

    reason_code = ReasonCode.HOST_UNREACHABLE


class EngineLost(Exception):
    """The connection to the engine was lost during a promotion. Nothing is undone or recorded: the next run checks the engine."""

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
    """An image could not be pushed, or the push returned no digest."""

    reason_code = ReasonCode.PUSH_FAILED


class BuildError(WorldError):
    """A Dockerfile could not be built."""

    reason_code = ReasonCode.BUILD_FAILED


class RegistryError(WorldError):
    """A registry is down, refuses the credentials, or does not have the requested content.

    If an image was to be pushed, `reason_code` is that of a failed push.
    """

    reason_code = ReasonCode.PULL_FAILED


class NotInRegistry(RegistryError):
    """The registry answers, and does not have the tag or the image."""


class DigestMismatch(RegistryError):
    """The content does not match the digest."""

    reason_code = ReasonCode.DIGEST_MISMATCH


class SecretError(WorldError):
    """The value of a declared secret is missing."""


class ForgeError(WorldError):
    """The CI platform is down, refuses the token, or does not have the requested content."""

    def __init__(
        self, message: str, *, hint: str | None = None, retryable: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint=hint, retryable=retryable)
        self.retry_after = retry_after


class LedgerError(WorldError):
    """The ledger cannot be read or written, or its chain is broken."""


class LedgerBroken(LedgerError):
    """A line of the ledger was changed: `problem` says which and how."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(
            f"the ledger {where} is broken: {problem}",
            hint="run `promoter ledger verify` to see where; restore a backup or an export",
        )
        self.problem = problem


class HeadMoved(LedgerError):
    """Another writer appended first: read the ledger, evaluate and try again."""


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
    """The lease of this run was taken over. The run must stop changing the environment."""

    reason_code = ReasonCode.LOCK_HELD


class Interrupted(PromoterError):
    """The run was interrupted by Ctrl-C, SIGTERM or SIGHUP."""

    exit_code = 130
    reason_code = ReasonCode.INTERRUPTED

    def __init__(self, message: str = "interrupted") -> None:
        super().__init__(message)
