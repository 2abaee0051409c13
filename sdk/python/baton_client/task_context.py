"""What a task is given beside its input."""
from __future__ import annotations

import asyncio
import logging
import math
import threading
from collections.abc import Sequence
from pathlib import Path

from . import types as t
from .client import Client
from .errors import BatonError
from .note_sender import NoteSender
from .note_taker import NoteTaker
from .outcome import clip
from .task_locks import HeldLock, LockWish, TaskLocks


class TaskContext:
    """Lives for one attempt.

    Artifacts and the summary are stored together with the result, notes while the task runs or with its end, whatever that is.
    """

    def __init__(self, client: Client, claim: t.Claim, workspace: Path | None) -> None:
        self.claim = claim
        self.task_id = claim['taskId']
        #: 1 for the first try.
        self.attempt = claim['attempt']
        self.ticket_id = claim['ticketId']
        self.phase = claim['phase']
        self.visit = claim['visit']
        self.title = claim['title']
        #: The locks that the task declared, with their fences. They are held as long as the attempt lives.
        self.locks = claim['locks']
        #: The folder to work in, from BATON_WORKSPACE.
        self.workspace = workspace
        #: Every method of the coordinator, for what this object has no shorter way for.
        self.client = client
        self.log = logging.getLogger(f'baton_client.task.{claim["type"]}')
        #: Is set when the attempt must stop. A coroutine is cancelled as well; a plain function has to look.
        self.cancelled = threading.Event()
        #: `cancelled`, `lease_lost`, `timed_out`, `phase_closed` or `draining`, once the attempt must stop.
        self.cancel_reason: str | None = None

        self.gathered_artifacts: list[t.NewArtifact] = []
        self._note_taker = NoteTaker()
        self.gathered_notes = self._note_taker.taken
        self.note_sender = NoteSender(client, claim, self.gathered_notes)
        self.gathered_summary: str | None = None
        self.task_locks = TaskLocks(client.lock, claim, self.cancelled.is_set)
        self._loop = asyncio.get_running_loop()
        self._waiting_progress: t.Progress | None = None
        self._sending: asyncio.Task[None] | None = None

    def progress(self, percentage: float | None = None, message: str | None = None) -> None:
        """Tells how far the attempt is, from 0 to 100. Never waits and never fails; of many in a row only the newest is sent."""
        report: t.Progress = {}
        if percentage is not None and math.isfinite(percentage):
            report['percentage'] = min(100, max(0, percentage))
        if message is not None:
            report['message'] = clip(message, 1_000)
        self._loop.call_soon_threadsafe(self._send_soon, report)

    def artifact(
        self,
        type: str,
        content: t.JsonValue = None,
        *,
        name: str | None = None,
        uri: str | None = None,
        media_type: str | None = None,
        sha256: str | None = None,
        size_bytes: int | None = None,
    ) -> None:
        """Adds evidence for the gate of the phase."""
        artifact: t.NewArtifact = {'type': type}
        if content is not None:
            artifact['content'] = content
        if name is not None:
            artifact['name'] = name
        if uri is not None:
            artifact['uri'] = uri
        if media_type is not None:
            artifact['mediaType'] = media_type
        if sha256 is not None:
            artifact['sha256'] = sha256
        if size_bytes is not None:
            artifact['sizeBytes'] = size_bytes
        self.gathered_artifacts.append(artifact)

    def note(
        self,
        kind: t.ContextKind,
        text: str,
        *,
        rationale: str | None = None,
        data: t.JsonValue = None,
        references: Sequence[t.NewContextItemReference] = (),
        pinned: bool = False,
    ) -> None:
        """Adds a decision, constraint, risk, fact … for later phases and for the next attempt.

        It is stored within about a second, and at the latest with the attempt's end. Where the coordinator has ended the attempt
        before (cancelled, out of time, its phase left, its session lost), what is left is handed in after that.

        Raises PermanentTaskError `result_invalid` where the coordinator would refuse it, and where an attempt has no room for it:
        it takes 1,000 notes of 1 MiB together.
        """
        item: t.NewContextItem = {'kind': kind, 'text': text, 'references': [*references], 'pinned': pinned}
        if rationale is not None:
            item['rationale'] = rationale
        if data is not None:
            item['data'] = data
        self._note_taker.take(item)
        self._loop.call_soon_threadsafe(self.note_sender.send_soon)

    def summary(self, text: str) -> None:
        """What the task did, in a sentence or two, for people and for later phases. The last one counts."""
        self.gathered_summary = clip(text, 4_000)

    def lock(self, *keys: LockWish, ttl_ms: int | None = None, wait_ms: int | None = None) -> HeldLock:
        """`async with ctx.lock('db:dev') as lock: …` takes all of the keys or none, and gives them back.

        Entering raises CoordinatorError `lock_conflict` when they are not free within `wait_ms`; 30 s unless given.
        """
        return HeldLock(self.task_locks, keys, ttl_ms=ttl_ms, wait_ms=wait_ms)

    async def pack(
        self, budget_tokens: int | None = None, *, query: str | None = None, since: int | str | None = None
    ) -> t.ContextPack:
        """What the earlier phases of the ticket have come to, and its own so far, within a budget of tokens, each line with its source.

        What speaks of the `query`, or of files that it names, comes first. With `since`, the number of an event such as the `asOf`
        of an earlier pack, or the citation of an item, only what is new after it and what no longer holds.
        """
        return await self.client.context.get(
            ticket_id=self.ticket_id, for_phase=self.phase, budget_tokens=budget_tokens, query=query, since=since
        )

    async def spawn(self, tasks: Sequence[t.NewTask]) -> t.TaskSubmitResult:
        """Adds tasks to the phase this attempt runs in, as its children. All are added or none."""
        parent: t.TaskSubmitParent = {'taskId': self.task_id, 'attempt': self.attempt}
        return await self.client.task.submit(ticket_id=self.ticket_id, phase=self.phase, tasks=tasks, parent=parent)

    def _send_soon(self, report: t.Progress) -> None:
        self._waiting_progress = report
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        while self._waiting_progress is not None:
            report, self._waiting_progress = self._waiting_progress, None
            try:
                await self.client.task.progress(task_id=self.task_id, attempt=self.attempt, progress=report)
            except BatonError:
                pass  # A lost report is no reason to fail the work that it reports on.
