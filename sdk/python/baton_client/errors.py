"""What can go wrong: what the coordinator says, what becomes of the connection, and what a task says of itself."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class BatonError(Exception):
    """All errors of this package."""


class CoordinatorError(BatonError):
    """The coordinator refused a call. `kind` is permanent and what programs match on; docs/reference/errors.md lists all."""

    def __init__(self, kind: str, data: Mapping[str, Any] | None = None, *, code: int = 0, title: str | None = None) -> None:
        self.kind = kind
        self.code = code
        self.data: Mapping[str, Any] = data or {}
        detail = self.data.get('message')
        super().__init__(' '.join(part for part in (title or kind, detail) if isinstance(part, str)))

    @property
    def retryable(self) -> bool:
        """The same call may succeed later without a change on this side."""
        return self.data.get('retryable') is True

    @property
    def retry_after_ms(self) -> float | None:
        """How long to wait before the next try, where the coordinator says so."""
        wait = self.data.get('retryAfterMs')
        return wait if isinstance(wait, int | float) else None

    @classmethod
    def from_answer(cls, error: Mapping[str, Any]) -> CoordinatorError:
        """The error of a JSON-RPC answer. One without a kind, as from something between us and the coordinator, is `internal`."""
        data = error.get('data')
        details: Mapping[str, Any] = data if isinstance(data, dict) else {}
        kind = details.get('kind')
        return cls(
            kind if isinstance(kind, str) else 'internal',
            details,
            code=int(error.get('code', 0)),
            title=str(error.get('message', '')) or None,
        )


class CoordinatorUnreachable(BatonError):
    """Nothing answers at the address, or something that is no coordinator."""


class ConnectionLost(BatonError):
    """The connection broke while a call was under way, and nobody knows whether the call had its effect."""


class ConnectionClosed(BatonError):
    """The connection was closed on this side."""


class TokenUnreadable(BatonError):
    """There is no token to show to the coordinator."""


class AgentReplaced(BatonError):
    """A second process of the same name has taken the agent's place."""


class TaskError(BatonError):
    """Raised by a task that failed and may be tried again. Any other exception means the same, with the code `task_failed`."""

    permanent = False

    def __init__(self, message: str, *, code: str = 'task_failed', details: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = details


class PermanentTaskError(TaskError):
    """Raised by a task whose failure another try would not cure."""

    permanent = True
