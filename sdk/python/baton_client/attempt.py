"""One claim, from the start of its clock to the report of its end."""
from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

from . import types as t
from .client import Client
from .errors import BatonError, CoordinatorError
from .note_sender import send_late
from .outcome import Completed, Failed, Outcome, Released, Report, failed, failure_of
from .session import AttemptId, is_session_gone
from .task_context import TaskContext

log = logging.getLogger('baton_client')

#: A coroutine function runs in the agent's event loop; a plain one in a thread of its own, so that heartbeats go on.
Handler = Callable[[Any, TaskContext], Awaitable[Any] | Any]

#: `dropped`: it was no longer ours, and nothing was recorded but what it had noted.
AttemptEnd = Literal['completed', 'failed', 'released', 'dropped']


class Attempt:
    def __init__(self, client: Client, claim: t.Claim, handler: Handler, *, workspace: Path | None, grace_seconds: float) -> None:
        self.id: AttemptId = (claim['taskId'], claim['attempt'])
        self.claim = claim
        self._client = client
        self.context = TaskContext(client, claim, workspace)
        self._handler = handler
        self._grace_seconds = grace_seconds
        self._report_to = Report(client, claim)
        self._is_revoked = False
        self._stopped = asyncio.Event()
        self._work: asyncio.Future[Any] | None = None

    def stop(self, reason: str) -> None:
        """Tells the task to stop; how the attempt ended is still reported."""
        if self._stopped.is_set():
            return
        self.context.cancel_reason = reason
        self.context.cancelled.set()
        self._stopped.set()
        if isinstance(self._work, asyncio.Task):
            self._work.cancel(f'The attempt must stop: {reason}.')

    def revoke(self, reason: str) -> None:
        """The coordinator has ended the attempt: the task is told to stop, and only what it noted is handed in."""
        self._is_revoked = True
        self.stop(reason)

    async def run(self) -> AttemptEnd:
        """Settles when the attempt has ended here and the coordinator knows."""
        try:
            outcome = await self._execute()
        finally:
            # A function that was left behind in its thread may go on.
            notes = self.context.note_sender.stop()
        if self._is_revoked:
            log.info('%s: stopped; the coordinator had ended the attempt (%s)', self.claim['title'], self.context.cancel_reason)
            return await self._drop(notes)
        return await self._report(self._judge(outcome), notes)

    async def _execute(self) -> Outcome:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self.claim['timeoutMs'] / 1_000, self.stop, 'timed_out')
        stopped = asyncio.create_task(self._stopped.wait())
        self._work = work = self._begin()
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await asyncio.wait({work}, timeout=self._grace_seconds)
            if not work.done():
                return failed('aborted', f'The task did not stop within {self._grace_seconds:g} s of being told to, and was left behind.')
            return Completed(work.result())
        except asyncio.CancelledError:
            if not work.done():
                raise
            return failed('aborted', 'The task was cancelled.')
        except Exception as error:
            return failure_of(error)
        finally:
            timer.cancel()
            stopped.cancel()

    def _begin(self) -> asyncio.Future[Any]:
        given = self.claim['input'], self.context
        if inspect.iscoroutinefunction(self._handler):
            return asyncio.create_task(self._handler(*given))
        return in_thread(self._handler, *given)

    def _judge(self, outcome: Outcome) -> Outcome:
        reason = self.context.cancel_reason
        # An attempt that was stopped by its clock has timed out, whatever it says of itself.
        if reason == 'timed_out':
            return failed('timed_out', f'The attempt took longer than the {self.claim["timeoutMs"]} ms it may take.')
        if reason == 'draining' and isinstance(outcome, Failed) and not outcome.permanent:
            return Released()
        return outcome

    async def _report(self, outcome: Outcome, notes: list[t.NewContextItem]) -> AttemptEnd:
        context = self.context
        try:
            await self._report_to.send(
                outcome,
                artifacts=context.gathered_artifacts,
                notes=notes,
                summary=context.gathered_summary,
            )
        except (BatonError, TypeError, ValueError) as error:
            if self._is_revoked or is_stale(error):
                log.info('%s: the result came too late and was dropped', self.claim['title'])
                return await self._drop(notes)
            log.error('%s: the result was refused: %s', self.claim['title'], error)
            if isinstance(outcome, Completed):
                # A result that the coordinator will never take is a failure of the task, and is told as one.
                fields = list(error.data.get('fields', [])) if isinstance(error, CoordinatorError) else []
                refusal = failed('result_refused', f'The result was refused: {error}', permanent=True, details={'fields': fields})
                return await self._report(refusal, notes)
            if isinstance(outcome, Failed) and 'details' in outcome.error:
                # They are the task's own, and may be what no message carries.
                bare = failed(outcome.error.get('code', 'task_failed'), outcome.error['message'], permanent=outcome.permanent)
                return await self._report(bare, notes)
            if not notes:
                return 'dropped'
            log.error('%s: its %d notes are left out', self.claim['title'], len(notes))
            return await self._report(outcome, [])
        if isinstance(outcome, Failed):
            log.warning('%s: failed: %s', self.claim['title'], outcome.error['message'])
            return 'failed'
        return 'completed' if isinstance(outcome, Completed) else 'released'

    async def _drop(self, notes: list[t.NewContextItem]) -> AttemptEnd:
        lost = await send_late(self._client, self.claim, notes)
        if lost > 0:
            log.error('%s: %d of its notes could not be handed in', self.claim['title'], lost)
        return 'dropped'


def is_stale(error: BaseException) -> bool:
    return is_session_gone(error) or (isinstance(error, CoordinatorError) and error.kind == 'claim_stale')


def in_thread(function: Callable[..., Any], *given: Any) -> asyncio.Future[Any]:
    """Runs a plain function in a thread that does not keep the process alive: one that never ends must not, either."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    around = contextvars.copy_context()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def work() -> None:
        result, problem = None, None
        try:
            result = around.run(function, *given)
        except Exception as error:
            problem = error
        except BaseException as error:
            problem = RuntimeError(f'The task ended its thread with {type(error).__name__}: {error}')
        try:
            loop.call_soon_threadsafe(settle, result, problem)
        except RuntimeError:
            pass  # The loop is closed: nobody waits for it any more.

    threading.Thread(target=work, name=f'baton-{getattr(function, "__name__", "task")}', daemon=True).start()
    return future
