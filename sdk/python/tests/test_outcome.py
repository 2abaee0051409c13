from __future__ import annotations

import unittest

from baton_client.outcome import clip, failed


class OutcomeTest(unittest.TestCase):
    def test_what_a_failure_says_holds_no_character_that_the_coordinator_refuses(self) -> None:
        error = failed('\ud83d', 'a\0b').error

        self.assertEqual((error['code'], error['message']), ('\ufffd', 'a\ufffdb'))

    def test_a_text_is_cut_to_what_the_coordinator_counts_and_between_characters(self) -> None:
        self.assertEqual(clip('🦩' * 8_000), '🦩' * 8_000)
        self.assertEqual(clip('🦩' * 8_001), f'{"🦩" * 7_999}…')
        self.assertEqual(clip('abc', 2), 'a…')
