from __future__ import annotations

import asyncio
import threading
import time
import unittest
from typing import Any

from baton_client import Agent, AgentReplaced, CoordinatorError, PermanentTaskError, TaskContext, connect
from baton_client import types as t
from baton_client.attempt import Attempt

from .line import Line
from .work import eventually, new_name, registered, serving, submit, task_in


class AgentTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.client = await self.enterAsyncContext(connect())
        self.kind = new_name('work')
        self.agent = Agent(new_name('agent'), capacity=2)

    async def test_what_a_function_returns_is_the_output(self) -> None:
        @self.agent.task(self.kind)
        async def double(given: dict[str, int], ctx: TaskContext) -> dict[str, int]:
            ctx.progress(50, 'half')
            ctx.artifact('number', {'value': given['value']}, name='given')
            ctx.note('fact', 'Doubling is done by adding.')
            ctx.summary('Doubled it.')
            return {'value': given['value'] * 2}

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind, 'input': {'value': 21}})
            task = await task_in(self.client, task_id, 'completed')

        self.assertEqual((task.get('output'), task.get('summary')), ({'value': 42}, 'Doubled it.'))
        artifacts = await self.client.artifact.list(ticket_id=task['ticketId'])
        self.assertEqual([(each['type'], each['name']) for each in artifacts['artifacts']], [('number', 'given')])
        items = await self.client.context.list(ticket_id=task['ticketId'])
        self.assertIn('Doubling is done by adding.', [item['text'] for item in items['items']])

    async def test_a_task_is_told_what_it_asks_for_and_what_is_new_after_a_pack(self) -> None:
        @self.agent.task(self.kind)
        async def follow(given: Any, ctx: TaskContext) -> list[str]:
            items: list[t.NewContextItem] = [{'kind': 'fact', 'text': 'It is blue.'}, {'kind': 'constraint', 'text': 'It has two doors.'}]
            for item in items:
                await self.client.context.note(ticket_id=ctx.ticket_id, item=item)
            asked = await ctx.pack(50, query='what is blue')
            await self.client.context.note(ticket_id=ctx.ticket_id, item={'kind': 'fact', 'text': 'It is round.'})
            return [asked['text'], (await ctx.pack(since=asked['asOf']))['text']]

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind})
            task = await task_in(self.client, task_id, 'completed')

        output: Any = task.get('output')
        asked, new = output
        self.assertIn('It is blue. [c:1, ', asked)
        self.assertRegex(new, r'^## Facts\n- It is round\. \[c:3, [A-Z]+\]\n$')

    async def test_a_plain_function_runs_in_a_thread_and_the_agent_goes_on(self) -> None:
        both = threading.Barrier(2, timeout=40)

        @self.agent.task(self.kind)
        def meet(given: Any, ctx: TaskContext) -> str:
            both.wait()
            return threading.current_thread().name

        async with serving(self.agent):
            ids = await submit(self.client, {'type': self.kind}, {'type': self.kind})
            outputs = [(await task_in(self.client, task_id, 'completed')).get('output') for task_id in ids]

        self.assertEqual(outputs, ['baton-meet', 'baton-meet'])

    async def test_a_failure_is_told_whatever_its_words_and_its_details_are(self) -> None:
        @self.agent.task(self.kind)
        async def fail(given: Any, ctx: TaskContext) -> None:
            ctx.progress(1, 'a\0b')
            raise PermanentTaskError('No \0\ud83e.', details={'constructor': object()})

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind})
            task = await task_in(self.client, task_id, 'failed')

        self.assertEqual(task.get('error'), {'code': 'task_failed', 'message': 'No \ufffd\ufffd.'})

    async def test_a_failure_is_tried_again_and_a_permanent_one_is_not(self) -> None:
        @self.agent.task(self.kind)
        async def fail(given: dict[str, bool], ctx: TaskContext) -> str:
            if given['permanent']:
                raise PermanentTaskError('It will never work.', code='hopeless', details={'why': 'because'})
            if ctx.attempt == 1:
                raise RuntimeError('Not this time.')
            return 'at last'

        async with serving(self.agent):
            passing, lasting = await submit(
                self.client, {'type': self.kind, 'input': {'permanent': False}}, {'type': self.kind, 'input': {'permanent': True}}
            )
            again = await task_in(self.client, passing, 'completed')
            failed = await task_in(self.client, lasting, 'failed')

        self.assertEqual((again['attempt'], again['attempts'][0].get('error', {}).get('message')), (2, 'Not this time.'))
        self.assertEqual((failed['attempt'], failed.get('error', {}).get('code')), (1, 'hopeless'))

    async def test_an_output_that_is_no_json_fails_for_good(self) -> None:
        @self.agent.task(self.kind)
        async def odd(given: Any, ctx: TaskContext) -> Any:
            return {1, 2}

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind})
            task = await task_in(self.client, task_id, 'failed')

        self.assertEqual(task.get('error', {}).get('code'), 'result_refused')

    async def test_a_type_that_the_agent_does_not_know_fails_for_good(self) -> None:
        agent = Agent(new_name('agent'), capabilities=[self.kind])
        agent.task('something-else')(lambda given, ctx: None)

        async with serving(agent):
            [task_id] = await submit(self.client, {'type': 'mystery', 'capabilities': [self.kind]})
            task = await task_in(self.client, task_id, 'failed')

        self.assertEqual(task.get('error', {}).get('code'), 'task_type_unknown')

    async def test_cancelling_a_task_cancels_its_coroutine_and_tells_why(self) -> None:
        told: asyncio.Future[tuple[bool, str | None]] = asyncio.get_running_loop().create_future()
        began = asyncio.Event()

        @self.agent.task(self.kind)
        async def wait(given: Any, ctx: TaskContext) -> None:
            began.set()
            try:
                await asyncio.sleep(60)
            finally:
                told.set_result((ctx.cancelled.is_set(), ctx.cancel_reason))

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind})
            await began.wait()
            await self.client.task.cancel(task_id=task_id, reason='No longer needed.')
            self.assertEqual(await asyncio.wait_for(told, 40), (True, 'cancelled'))

        self.assertEqual((await self.client.task.get(task_id=task_id))['state'], 'cancelled')

    async def test_cancelling_a_task_is_seen_by_a_plain_function(self) -> None:
        began, ended = threading.Event(), threading.Event()

        @self.agent.task(self.kind)
        def wait(given: Any, ctx: TaskContext) -> None:
            began.set()
            if ctx.cancelled.wait(60):
                ended.set()

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind})
            await asyncio.to_thread(began.wait, 40)
            await self.client.task.cancel(task_id=task_id)
            self.assertTrue(await asyncio.to_thread(ended.wait, 40))

    async def test_an_attempt_that_takes_too_long_has_timed_out(self) -> None:
        @self.agent.task(self.kind)
        async def wait(given: Any, ctx: TaskContext) -> None:
            await asyncio.sleep(60)

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind, 'timeoutMs': 200, 'maxAttempts': 1})
            task = await task_in(self.client, task_id, 'failed')

        self.assertEqual(task['attempts'][0].get('outcome'), 'timed_out')

    async def test_locks_take_turns_and_their_fence_grows(self) -> None:
        key = f'file:{new_name("lock")}'
        inside: list[int] = []

        @self.agent.task(self.kind)
        async def change(given: Any, ctx: TaskContext) -> int:
            async with ctx.lock(key) as lock:
                self.assertEqual(inside, [])
                inside.append(lock.fence)
                await asyncio.sleep(0.05)
                inside.remove(lock.fence)
                self.assertTrue((await ctx.client.lock.check(key=key, fence=lock.fence))['valid'])
                return lock.fence

        async with serving(self.agent):
            ids = await submit(self.client, {'type': self.kind}, {'type': self.kind}, {'type': self.kind})
            fences = [(await task_in(self.client, task_id, 'completed')).get('output') for task_id in ids]

        self.assertEqual(len(set(fences)), 3)
        self.assertEqual((await self.client.lock.get(key=key))['holders'], [])

    async def test_a_lock_that_is_taken_is_a_conflict(self) -> None:
        key = f'file:{new_name("lock")}'

        @self.agent.task(self.kind)
        async def impatient(given: Any, ctx: TaskContext) -> str:
            try:
                async with ctx.lock(key, wait_ms=0):
                    return 'taken'
            except CoordinatorError as error:
                return error.kind

        async with serving(self.agent), connect() as holder:
            await holder.agent.register(name=new_name('holder'), capabilities=['holding'])
            await holder.lock.acquire(keys=[{'key': key}])
            [task_id] = await submit(self.client, {'type': self.kind})
            task = await task_in(self.client, task_id, 'completed')

        self.assertEqual(task.get('output'), 'lock_conflict')

    async def test_a_task_may_make_more_tasks(self) -> None:
        @self.agent.task(self.kind)
        async def split(given: dict[str, int], ctx: TaskContext) -> int:
            if given.get('parts', 0) > 0:
                await ctx.spawn([{'type': self.kind, 'ref': f'part-{number}'} for number in range(given['parts'])])
            return ctx.attempt

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind, 'input': {'parts': 2}})
            task = await task_in(self.client, task_id, 'completed')
            parts = [each for each in (await self.client.task.list(ticket_id=task['ticketId']))['tasks'] if each['id'] != task_id]
            done = [await task_in(self.client, part['id'], 'completed') for part in parts]

        self.assertEqual([(part.get('ref'), part.get('parentTaskId')) for part in done], [('part-0', task_id), ('part-1', task_id)])

    async def test_a_running_task_survives_a_broken_connection(self) -> None:
        began, go_on = asyncio.Event(), asyncio.Event()

        @self.agent.task(self.kind)
        async def hold(given: Any, ctx: TaskContext) -> int:
            began.set()
            await go_on.wait()
            return ctx.attempt

        async with Line() as line, serving(self.agent, url=line.url):
            [task_id] = await submit(self.client, {'type': self.kind})
            await began.wait()
            line.cut()
            go_on.set()
            task = await task_in(self.client, task_id, 'completed')

        self.assertEqual((task.get('output'), len(task['attempts'])), (1, 1))

    async def test_a_result_whose_answer_was_lost_is_recorded_once(self) -> None:
        runs: list[int] = []

        async with Line() as line:

            @self.agent.task(self.kind)
            async def once(given: Any, ctx: TaskContext) -> str:
                runs.append(ctx.attempt)
                line.swallow_answer_with('"state":"completed"')
                return 'done'

            async with serving(self.agent, url=line.url):
                [task_id] = await submit(self.client, {'type': self.kind})
                task = await task_in(self.client, task_id, 'completed')
                # The agent goes on: its session was resumed.
                [next_id] = await submit(self.client, {'type': self.kind})
                await task_in(self.client, next_id, 'completed')

        self.assertEqual((task.get('output'), len(task['attempts']), runs), ('done', 1, [1, 1]))

    async def test_a_draining_agent_gives_back_what_it_cannot_finish(self) -> None:
        began = asyncio.Event()

        @self.agent.task(self.kind)
        async def wait(given: Any, ctx: TaskContext) -> None:
            began.set()
            await asyncio.sleep(60)

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind})
            await began.wait()

        task = await self.client.task.get(task_id=task_id)
        self.assertEqual((task['state'], task['attempts'][0].get('outcome')), ('ready', 'released'))

    async def test_what_was_noted_is_kept_with_a_failure_and_with_a_task_that_is_given_back(self) -> None:
        began = asyncio.Event()

        @self.agent.task(self.kind)
        async def note_and_leave(given: dict[str, bool], ctx: TaskContext) -> None:
            ctx.note('risk', 'The disk is full.')
            if given['fails']:
                raise PermanentTaskError('It will never work.')
            began.set()
            await asyncio.sleep(60)

        async with serving(self.agent):
            [failing] = await submit(self.client, {'type': self.kind, 'input': {'fails': True}})
            [waiting] = await submit(self.client, {'type': self.kind, 'input': {'fails': False}})
            failed = await task_in(self.client, failing, 'failed')
            await began.wait()

        released = await self.client.task.get(task_id=waiting)
        self.assertEqual(released['attempts'][0].get('outcome'), 'released')
        for task in (failed, released):
            items = (await self.client.context.list(ticket_id=task['ticketId']))['items']
            self.assertEqual(
                [(item['text'], item.get('taskId'), item.get('attempt')) for item in items], [('The disk is full.', task['id'], 1)]
            )

    async def test_what_was_noted_is_kept_where_the_task_is_cancelled(self) -> None:
        began = asyncio.Event()

        @self.agent.task(self.kind)
        async def wait(given: Any, ctx: TaskContext) -> None:
            ctx.note('risk', 'The disk is full.')
            began.set()
            try:
                await asyncio.sleep(60)
            finally:
                ctx.note('fact', 'It was half done.')

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind})
            ticket_id = (await self.client.task.get(task_id=task_id))['ticketId']
            await began.wait()
            await self.client.task.cancel(task_id=task_id)
            items = await eventually(lambda: self.items_of(ticket_id), lambda items: len(items) == 2)

        self.assertEqual([item['text'] for item in items], ['The disk is full.', 'It was half done.'])
        for item in items:
            self.assertEqual((item['author'], item.get('taskId'), item.get('attempt')), (self.agent.name, task_id, 1))

    async def test_what_is_noted_is_stored_while_the_task_goes_on(self) -> None:
        go_on = threading.Event()

        @self.agent.task(self.kind)
        def work(given: Any, ctx: TaskContext) -> bool:
            ctx.note('risk', 'The disk is full.')
            return go_on.wait(60)

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind})
            ticket_id = (await self.client.task.get(task_id=task_id))['ticketId']
            [early] = await eventually(lambda: self.items_of(ticket_id), lambda items: len(items) == 1)
            self.assertEqual((await self.client.task.get(task_id=task_id))['state'], 'running')
            go_on.set()
            await task_in(self.client, task_id, 'completed')

        self.assertEqual((early['text'], early.get('taskId'), early.get('attempt')), ('The disk is full.', task_id, 1))
        self.assertEqual(await self.items_of(ticket_id), [early])

    async def items_of(self, ticket_id: str) -> list[t.ContextItem]:
        return (await self.client.context.list(ticket_id=ticket_id))['items']

    async def test_a_plain_function_that_stops_is_given_back_with_what_it_noted(self) -> None:
        began = asyncio.Event()
        loop = asyncio.get_running_loop()

        @self.agent.task(self.kind)
        def hold(given: Any, ctx: TaskContext) -> None:
            ctx.note('risk', 'The disk is full.')
            loop.call_soon_threadsafe(began.set)
            ctx.cancelled.wait(60)
            raise RuntimeError(f'Stopped: {ctx.cancel_reason}.')

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind})
            await began.wait()

        task = await self.client.task.get(task_id=task_id)
        self.assertEqual(task['attempts'][0].get('outcome'), 'released')
        items = (await self.client.context.list(ticket_id=task['ticketId']))['items']
        self.assertEqual([item['text'] for item in items], ['The disk is full.'])

    async def test_a_plain_function_that_is_left_behind_is_given_back_with_what_it_noted_until_then(self) -> None:
        began, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def hold(given: Any, ctx: TaskContext) -> None:
            ctx.note('risk', 'The disk is full.')
            loop.call_soon_threadsafe(began.set)
            go_on.wait(60)

        await self.client.agent.register(name=new_name('holder'), capabilities=[self.kind])
        [task_id] = await submit(self.client, {'type': self.kind})
        [claim] = (await self.client.task.claim(max=1, wait_ms=10_000))['claims']
        attempt = Attempt(self.client, claim, hold, workspace=None, grace_seconds=0.05)
        running = asyncio.create_task(attempt.run())
        await began.wait()

        attempt.stop('draining')
        end = await running

        go_on.set()
        self.assertEqual(end, 'released')
        task = await self.client.task.get(task_id=task_id)
        items = (await self.client.context.list(ticket_id=task['ticketId']))['items']
        self.assertEqual([item['text'] for item in items], ['The disk is full.'])

    async def test_a_note_that_does_not_fit_is_refused_where_it_is_made_and_costs_nothing_else(self) -> None:
        @self.agent.task(self.kind)
        async def note_too_much(given: Any, ctx: TaskContext) -> str:
            ctx.note('risk', 'The disk is full.')
            try:
                ctx.note('fact', 'x' * 4_001)
            except PermanentTaskError as error:
                return error.code
            return 'taken'

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind})
            task = await task_in(self.client, task_id, 'completed', 'failed')

        self.assertEqual((task['state'], task.get('output')), ('completed', 'result_invalid'))
        items = (await self.client.context.list(ticket_id=task['ticketId']))['items']
        self.assertEqual([item['text'] for item in items], ['The disk is full.'])

    async def test_a_note_that_is_refused_takes_no_failure_with_it(self) -> None:
        @self.agent.task(self.kind)
        async def fail(given: Any, ctx: TaskContext) -> None:
            ctx.gathered_notes.append({'kind': 'risk', 'text': ' '})
            raise PermanentTaskError('It will never work.', code='hopeless')

        async with serving(self.agent):
            [task_id] = await submit(self.client, {'type': self.kind})
            task = await task_in(self.client, task_id, 'failed')

        self.assertEqual(task.get('error', {}).get('code'), 'hopeless')

    async def test_a_second_process_of_the_same_name_takes_the_place_of_the_first(self) -> None:
        self.agent.task(self.kind)(lambda given, ctx: None)
        first = asyncio.create_task(self.agent.serve(stop=asyncio.Event()))
        await registered(self.client, self.agent.name)

        async with connect() as second:
            await second.agent.register(name=self.agent.name, capabilities=[self.kind])

            with self.assertRaises(AgentReplaced):
                await asyncio.wait_for(first, 40)

    def test_two_functions_for_one_type_are_a_mistake(self) -> None:
        agent = Agent('twice')
        agent.task('same')(lambda given, ctx: None)

        with self.assertRaisesRegex(ValueError, 'two functions'):
            agent.task('same')(lambda given, ctx: None)
