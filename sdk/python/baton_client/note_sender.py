"""What an attempt notes, on its way to the coordinator."""
from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

from . import types as t
from .client import Client
from .errors import BatonError, ConnectionLost, CoordinatorError
from .session import is_session_gone

#: An attempt that ends sooner sends its notes with its end, in one call. One that lasts loses no more with its process.
NOTE_WAIT_SECONDS = 1.0
#: How long to wait before a note is sent again that a busy coordinator has not taken.
LATE_RETRY_SECONDS = 1.0


class NoteSender:
    """Stores notes while their attempt runs, one at a time. What the coordinator refuses, and what could not be sent, stays in `left`
    for the report.
    """

    def __init__(self, client: Client, claim: t.Claim, left: list[t.NewContextItem]) -> None:
        self._client = client
        self._claim = claim
        self._left = left
        #: How many of those that are left have been refused. They are the first.
        self._refused = 0
        self._sending: asyncio.Task[None] | None = None
        self._is_stopped = False

    def send_soon(self) -> None:
        if not self._is_stopped and (self._sending is None or self._sending.done()):
            self._sending = asyncio.create_task(self._send_all())

    def stop(self) -> list[t.NewContextItem]:
        """Sends nothing more. Returns what is not known to be stored, in order: it goes with the report of the attempt's end."""
        self._is_stopped = True
        if self._sending is not None:
            self._sending.cancel()
        return [*self._left]

    async def _send_all(self) -> None:
        claim = self._claim
        while self._refused < len(self._left):
            await asyncio.sleep(NOTE_WAIT_SECONDS)
            while self._refused < len(self._left):
                item = self._left[self._refused]
                try:
                    await self._client.context.note(
                        ticket_id=claim['ticketId'], task_id=claim['taskId'], attempt=claim['attempt'], item=item
                    )
                    del self._left[self._refused]
                except (BatonError, TypeError, ValueError) as error:
                    if is_passing(error):
                        break
                    self._refused += 1


async def send_late(client: Client, claim: t.Claim, items: Sequence[t.NewContextItem]) -> int:
    """Stores what an attempt has noted that has ended. Returns how many of the items could not be stored."""
    lost = 0
    for item in items:
        # Its pin may have no room.
        plain = item.copy()
        plain['pinned'] = False
        if not (await _note_until_taken(client, claim, item) or (item['pinned'] and await _note_until_taken(client, claim, plain))):
            lost += 1
    return lost


async def _note_until_taken(client: Client, claim: t.Claim, item: t.NewContextItem) -> bool:
    """One key for all tries, so that a note whose answer was lost is not said again. Returns whether it is stored."""
    key = str(uuid.uuid4())
    while True:
        try:
            await client.context.note(
                ticket_id=claim['ticketId'], task_id=claim['taskId'], attempt=claim['attempt'], item=item, idempotency_key=key
            )
            return True
        except (BatonError, TypeError, ValueError) as error:
            # An agent whose session has ended registers anew, unless it was fenced for good: then its connection ends.
            if not is_passing(error) and not is_session_gone(error):
                return False
        await asyncio.sleep(LATE_RETRY_SECONDS)


def is_passing(error: BaseException) -> bool:
    """Whether the same may be taken later."""
    return isinstance(error, ConnectionLost) or (isinstance(error, CoordinatorError) and error.retryable)
