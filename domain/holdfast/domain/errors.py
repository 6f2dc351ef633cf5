"""The one error tree. Adapters translate foreign errors into these at the edge, with the cause kept."""

from __future__ import annotations


class HoldfastError(Exception):
    """Anything Holdfast reports on purpose: one line that says what happened, to what, and what to do."""


class UsageError(HoldfastError):
    """The request itself is malformed: an unknown option value, a query that cannot be parsed."""


class SettingsError(UsageError):
    """A setting is unknown, refused or cannot be parsed, such as a database address of an unknown kind."""


class NotFoundError(HoldfastError):
    """What was named does not exist."""


class ConflictError(HoldfastError):
    """The request contradicts what the log already holds."""


class AmbiguousNameError(ConflictError):
    """A prefix or title fits several sessions.

    Attributes:
        name: What was given.
        candidates: The ids that fit, in roster order.
    """

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        self.name = name
        self.candidates = candidates
        shown = ", ".join(candidates[:5]) + (", …" if len(candidates) > 5 else "")
        super().__init__(f"{name!r} fits {len(candidates)} sessions ({shown}): give more of the id")


class VersionConflictError(ConflictError):
    """Another event already stands where this one was to be written. Never retried blindly."""


class SessionEndedError(ConflictError):
    """The session has ended for good; its history stays readable."""


class SessionErasedError(ConflictError):
    """The content of the session was erased; nothing can be added to it."""


class PromptError(ConflictError):
    """The prompt is not in a state that allows this, for instance editing one that was sent."""


class PermissionExpiredError(ConflictError):
    """The permission request is unknown, already answered, or its context is gone."""


class OptionError(ConflictError):
    """The option was not among those that the agent offered."""


class TranscriptError(HoldfastError):
    """A file that was to be imported holds no transcript of a known kind."""


class StoreError(HoldfastError):
    """The store cannot do what was asked."""


class StoreClosedError(StoreError):
    """The store was closed, or stopped itself after an input/output error; open it again."""


class StoreBusyError(StoreError):
    """Another process writes to this store.

    Attributes:
        home: The home that process works for, where it is known.
    """

    def __init__(self, message: str, home: str | None = None) -> None:
        self.home = home
        super().__init__(message)


class StoreNewerError(StoreError):
    """The store was written by a newer version; nothing was changed."""


class StoreForeignError(StoreError):
    """The file or database belongs to something else; nothing was changed."""


class StoreDamagedError(StoreError):
    """The store cannot be read as what it claims to be."""


class StoreReadOnlyError(StoreError):
    """The store, or its folder, does not allow writing."""


class StoreFullError(StoreError):
    """No space is left where the store lies; reading still works."""


class StoreFencedError(StoreError):
    """A newer process took this store over; this one must not write any more."""


class StoreUnavailableError(StoreError):
    """The database server cannot be reached."""


class OutcomeUnknownError(StoreError):
    """A commit failed in a way that leaves open whether it happened. Looking its event ids up tells."""


class LogRegressedError(StoreError):
    """The log is behind its witness: it was truncated or replaced by an older copy."""


class CursorError(StoreError):
    """A cursor belongs to another store, lies beyond the head of the log, or is none at all."""


class ViewsDifferError(StoreError):
    """A stored view shows something else than the log; it can be built anew."""


class NotRunningError(HoldfastError):
    """No daemon runs for this home, and what was asked needs one."""


class DaemonError(HoldfastError):
    """The daemon cannot be started, reached or spoken to."""


class DaemonLostError(DaemonError):
    """The daemon went away before it had answered: whether it did what was asked is not known."""


class OtherStoreError(ConflictError):
    """The daemon that runs keeps another store than the one that is asked about."""


class OccupiedError(ConflictError):
    """A daemon runs already, or the port it was to listen on is taken."""


class UnsafeError(ConflictError):
    """It would open Holdfast to others: an address beyond this machine, a token that others can read."""


class DeniedError(HoldfastError):
    """The daemon does not accept the credential, or the credential does not allow this."""


class DesktopError(HoldfastError):
    """There is no desktop that could show anything, or it has gone."""


class TimedOutError(HoldfastError):
    """What was waited for did not happen in time."""


class AgentError(HoldfastError):
    """An agent's process cannot be started, reached or spoken to."""


class CommandNotFoundError(AgentError):
    """The command of an agent does not exist or may not be run."""


class AgentFolderError(AgentError):
    """The folder that an agent was to start in does not exist or cannot be entered."""


class AgentExitedError(AgentError):
    """The agent has ended: what was to be written has not been accepted."""


class HostGoneError(AgentError):
    """The process that keeps an agent cannot be reached; its files tell what is known."""


class HostFencedError(AgentError):
    """A newer daemon drives this agent; this one must leave it alone."""


class HostFullError(AgentError):
    """The host has no room for what was to be written; it was not accepted and may be tried again."""


class HostProtocolError(AgentError):
    """A host and this program do not understand each other, or its files are damaged."""


class LineTooLongError(AgentError):
    """An agent sent a line longer than the limit; nothing after it can be read."""
