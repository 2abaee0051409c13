from __future__ import annotations

import asyncio
import os
import unittest

from baton_client import ConnectionClosed, CoordinatorError, CoordinatorUnreachable, connect

from .line import Line
from .work import new_name, submit

MISSING = '01890000-0000-7000-8000-000000000000'


class ClientTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_method_is_called_by_its_noun_and_verb(self) -> None:
        async with connect() as client:
            found = await client.coordinator.info()

        self.assertEqual(found['name'], 'baton')

    async def test_a_refusal_is_raised_with_its_kind_and_data(self) -> None:
        async with connect() as client:
            with self.assertRaises(CoordinatorError) as refused:
                await client.task.get(task_id=MISSING)

        self.assertEqual((refused.exception.kind, refused.exception.code), ('task_not_found', 40402))
        self.assertFalse(refused.exception.retryable)

    async def test_parameters_that_do_not_fit_name_the_field(self) -> None:
        async with connect() as client:
            with self.assertRaises(CoordinatorError) as refused:
                await client.task.list(limit=0)

        self.assertEqual(refused.exception.kind, 'invalid_params')
        self.assertEqual([field['path'] for field in refused.exception.data['fields']], ['limit'])

    async def test_what_cannot_be_sent_breaks_nothing_else(self) -> None:
        async with connect() as client:
            with self.assertRaises(ValueError):
                await client.ticket.create(title='\ud800')
            with self.assertRaises(ValueError):
                await client.ticket.create(title='Not a number', metadata={'ratio': float('nan')})
            with self.assertRaises(ValueError):
                await client.ticket.create(title='x' * 5_000_000)

            self.assertEqual((await client.coordinator.info())['name'], 'baton')

    async def test_a_token_that_does_not_fit_is_refused(self) -> None:
        with self.assertRaises(CoordinatorError) as refused:
            async with connect(token='wrong'):
                pass

        self.assertEqual(refused.exception.kind, 'unauthenticated')

    async def test_an_address_where_nobody_answers_is_named(self) -> None:
        with self.assertRaisesRegex(CoordinatorUnreachable, '127.0.0.1:1'):
            async with connect('http://127.0.0.1:1'):
                pass

    async def test_a_cancelled_call_is_cancelled_in_the_coordinator(self) -> None:
        async with connect() as client:
            kind = new_name('waiting')
            await client.agent.register(name=kind, capabilities=[kind])
            claiming = asyncio.create_task(client.task.claim(wait_ms=30_000))
            await asyncio.sleep(0.1)
            claiming.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await claiming

            [task_id] = await submit(client, {'type': kind})

            # Nobody waits any more, so the task goes to the next who asks.
            answer = await client.task.claim(wait_ms=30_000)
            self.assertEqual([claim['taskId'] for claim in answer['claims']], [task_id])

    async def test_a_call_waits_for_the_next_connection(self) -> None:
        async with Line() as line, connect(line.url) as client:
            await client.coordinator.info()

            line.cut()

            self.assertEqual((await client.coordinator.info())['name'], 'baton')

    async def test_a_call_whose_answer_was_lost_is_sent_again_and_has_one_effect(self) -> None:
        title = new_name('once')
        async with Line() as line, connect(line.url) as client:
            line.swallow_answer_with(title)

            made = await client.ticket.create(title=title)

            tickets = (await client.ticket.list(limit=1_000))['tickets']
            self.assertEqual(line.breaks, 1)
            self.assertEqual([ticket['id'] for ticket in tickets if ticket['title'] == title], [made['id']])

    async def test_the_same_key_with_other_parameters_is_refused(self) -> None:
        async with connect() as client:
            first = await client.ticket.create(title='One', idempotency_key='python-key')
            again = await client.ticket.create(title='One', idempotency_key='python-key')
            with self.assertRaises(CoordinatorError) as refused:
                await client.ticket.create(title='Two', idempotency_key='python-key')

        self.assertEqual(first['id'], again['id'])
        self.assertEqual(refused.exception.kind, 'idempotency_conflict')

    async def test_events_come_in_order_and_without_a_gap_over_a_reconnect(self) -> None:
        async with connect() as other, Line() as line, connect(line.url) as client:
            async with client.subscribe() as events:
                first = await other.ticket.create(title='First')
                # What others did before may be told between.
                seen = [await anext(events)]
                while seen[-1].get('ticketId') != first['id']:
                    seen.append(await anext(events))
                line.cut()
                second = await other.ticket.create(title='Second')
                while seen[-1].get('ticketId') != second['id']:
                    seen.append(await anext(events))

        numbers = [event['seq'] for event in seen]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))

    async def test_what_still_waits_fails_when_the_client_is_closed(self) -> None:
        async with connect() as client:
            kind = new_name('closing')
            await client.agent.register(name=kind, capabilities=[kind])
            claiming = asyncio.create_task(client.task.claim(wait_ms=30_000))
            await asyncio.sleep(0.1)

        with self.assertRaises(ConnectionClosed):
            await claiming

    async def test_a_token_file_that_is_missing_is_named(self) -> None:
        with self.assertRaisesRegex(Exception, 'no-such-token'):
            async with connect(os.environ['BATON_URL'], token_file='no-such-token'):
                pass
