"""What an attempt came to, and how the coordinator is told."""
from __future__ import annotations

import asyncio
import re
import traceback
import uuid
from dataclasses import dataclass
from typing import Any

from . import types as t
from .client import Client
from .errors import ConnectionLost, CoordinatorError, TaskError

#: How long to wait before a report is sent again that a busy coordinator has not taken.
REPORT_RETRY_SECONDS = 1.0
#: As many lines of a traceback as help to find the place without telling a story.
FRAMES_MAX = 8


@dataclass(frozen=True)
class Completed:
    output: Any


@dataclass(frozen=True)
class Failed:
    error: t.TaskError
    permanent: bool = False


@dataclass(frozen=True)
class Released:
    """Given back unused, as a draining agent does."""


Outcome = Completed | Failed | Released


def failed(code: str, message: str, *, permanent: bool = False, details: Any = None) -> Failed:
    error: t.TaskError = {'code': clip(code, 128), 'message': clip(message)}
    if details is not None:
        error['details'] = details
    return Failed(error, permanent)


def clip(text: str, units_max: int = 16_000) -> str:
    """As much of what somebody says as the contract takes, which counts a character beyond U+FFFF as two; for a message that is 16,000.
    What no database stores in it, a NUL or half of a surrogate pair, is replaced.
    """
    storable = re.sub('[\0\ud800-\udfff]', '\ufffd', text)
    units = storable.encode('utf-16-le')
    return storable if len(units) <= 2 * units_max else f'{units[: 2 * (units_max - 1)].decode("utf-16-le", "ignore")}…'


def failure_of(error: BaseException) -> Failed:
    """What became of an attempt that raised: message, code and the innermost lines of the traceback are kept."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
    details: dict[str, Any] = {
        'name': type(error).__name__,
        'stack': [f'{frame.name} ({frame.filename}:{frame.lineno})' for frame in reversed(frames)],
    }
    code = error.kind if isinstance(error, CoordinatorError) else 'task_failed'
    if isinstance(error, TaskError):
        code = error.code
        if error.details is not None:
            details['details'] = error.details
    permanent = isinstance(error, TaskError) and error.permanent
    return failed(code, str(error) or type(error).__name__, permanent=permanent, details=details)


class Report:
    """Tells the coordinator how an attempt ended."""

    def __init__(self, client: Client, claim: t.Claim) -> None:
        self._client = client
        self._claim = claim

    async def send(
        self,
        outcome: Outcome,
        *,
        artifacts: list[t.NewArtifact],
        notes: list[t.NewContextItem],
        summary: str | None,
    ) -> None:
        """Sends the report until it is taken or refused. One key for all tries: a report that arrived and whose answer was
        lost has its effect once.
        """
        task = self._client.task
        fence: dict[str, Any] = {
            'task_id': self._claim['taskId'],
            'attempt': self._claim['attempt'],
            'idempotency_key': str(uuid.uuid4()),
        }
        while True:
            try:
                match outcome:
                    case Completed(output):
                        await task.complete(**fence, output=output, summary=summary, artifacts=artifacts, context=notes)
                    case Failed(error, permanent):
                        await task.fail(**fence, error=error, permanent=permanent, context=notes)
                    case Released():
                        await task.release(**fence, reason='The agent is shutting down.', context=notes)
                return
            except ConnectionLost:
                pass
            except CoordinatorError as error:
                if not error.retryable:
                    raise
            await asyncio.sleep(REPORT_RETRY_SECONDS)
