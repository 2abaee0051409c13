from __future__ import annotations

import unittest
from typing import Any

from baton_client import PermanentTaskError
from baton_client.note_taker import NoteTaker


def nested(levels: int) -> Any:
    return 1 if levels == 0 else [nested(levels - 1)]


class NoteTakerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.notes = NoteTaker()

    def note(self, text: Any, kind: Any = 'fact', **more: Any) -> None:
        item: Any = {'kind': kind, 'text': text, 'references': [], 'pinned': False, **more}
        self.notes.take(item)

    def texts(self) -> list[str]:
        return [item['text'] for item in self.notes.taken]

    def test_what_does_not_fit_is_refused_at_once_and_says_why(self) -> None:
        reference = {'kind': 'file', 'value': 'a.py'}
        circle: list[Any] = []
        circle.append(circle)
        faults: list[tuple[dict[str, Any], str]] = [
            ({'text': ' \ufeff'}, 'text: Say something'),
            ({'text': 'x' * 4_001}, 'text: It has 4001 characters'),
            ({'text': '🦩' * 2_001}, 'text: It has 4002 characters'),
            ({'text': 'a\0b'}, 'text: The character U\\+0000'),
            ({'text': 'a\ud83e'}, 'text: The text holds half'),
            ({'text': 5}, 'text: Say something'),
            ({'kind': 'rumour'}, 'kind: rumour is none. Write one of instruction, '),
            ({'rationale': 'x' * 4_001}, 'rationale: It has 4001 characters'),
            ({'data': 'x' * 15_999}, 'data: It has 16001 characters as JSON'),
            ({'data': {'set': {1}}}, 'data.set: set is nothing that JSON can hold'),
            ({'data': [float('nan')]}, r'data\[0\]: The number is too large'),
            ({'data': 10**400}, 'data: The number is too large'),
            ({'data': {'constructor': 1}}, 'data.constructor: This name is not allowed'),
            ({'data': circle}, r'nests deeper than 24 levels'),
            ({'data': nested(30)}, r'nests deeper than 24 levels'),
            ({'references': [reference] * 101}, 'references: There are 101'),
            ({'references': [{**reference, 'kind': 'url'}]}, r'references\[0\].kind: url is none'),
            ({'references': [{'kind': 'file'}]}, r'references\[0\]: Write'),
            ({'references': [{**reference, 'line': 0}]}, r'references\[0\].line: Write a whole number'),
            ({'references': [{**reference, 'line': 3, 'lineEnd': 2.5}]}, r'references\[0\].lineEnd: Write a whole number'),
            ({'references': [{**reference, 'line': 3, 'lineEnd': 2}]}, r'references\[0\].lineEnd: Give the first line'),
            ({'references': [{**reference, 'lineEnd': 2}]}, r'references\[0\].lineEnd: Give the first line'),
            ({'references': [{**reference, 'value': 'x' * 1_025}]}, r'references\[0\].value: It has 1025 characters'),
            ({'references': [{**reference, 'value': 'x' * 1_000}] * 17}, 'references: It has 1'),
            ({'pinned': 'yes'}, 'pinned: Write True or False'),
        ]
        for item, why in faults:
            with self.subTest(why), self.assertRaisesRegex(PermanentTaskError, why) as refused:
                self.note(**{'text': 'It is so.', **item})
            self.assertEqual(refused.exception.code, 'result_invalid')

        self.assertEqual(self.texts(), [])

    def test_as_much_as_is_allowed_is_taken(self) -> None:
        references = [{'kind': 'file', 'value': 'a.py', 'line': 1, 'lineEnd': 9}] * 100

        self.note('🦩' * 2_000, rationale='x' * 4_000, data='x' * 15_998, references=references)
        self.note('Deep.', data=nested(22))

        self.assertEqual(len(self.notes.taken), 2)

    def test_what_a_task_changes_later_is_not_in_its_note(self) -> None:
        data = {'open': 1}

        self.note('One is open.', data=data)
        data['open'] = 2

        self.assertEqual(self.notes.taken[0].get('data'), {'open': 1})

    def test_one_note_more_than_a_report_takes_is_refused_and_those_before_it_stay(self) -> None:
        for count in range(1_000):
            self.note(f'Fact {count + 1}.')

        with self.assertRaisesRegex(PermanentTaskError, 'it has 1000 of'):
            self.note('Fact 1001.')
        self.assertEqual(len(self.texts()), 1_000)

    def test_notes_that_no_message_has_room_for_are_refused_and_a_shorter_one_is_taken_after(self) -> None:
        for number in range(65):
            self.note(f'Long {number + 1}.', data='x' * 15_900)

        with self.assertRaisesRegex(PermanentTaskError, 'it has 65 of'):
            self.note('Long 66.', data='x' * 15_900)
        self.note('Short.')

        self.assertEqual(self.texts()[-2:], ['Long 65.', 'Short.'])


if __name__ == '__main__':
    unittest.main()
