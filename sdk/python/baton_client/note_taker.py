"""Checks notes at the line that hands them in: one that the coordinator refused would take the whole report with it."""
from __future__ import annotations

import json
import math
import re
from typing import Any, get_args

from . import types as t
from .errors import PermanentTaskError

#: As many as one report takes.
NOTES_MAX = 1_000
#: A quarter of a message of the usual size: a failure with all its notes fits into one.
NOTES_BYTES_MAX = 1024 * 1024
#: Of the 32 levels of a message, what surrounds a note takes a few.
DEPTH_MAX = 24

TEXT_MAX = 4_000
REFERENCES_MAX = 100
REFERENCE_MAX = 1_024
#: Of data, and of all references together.
JSON_MAX = 16_000

REFERENCE_KINDS = ('artifact', 'file', 'event', 'task', 'item')


class NoteTaker:
    """Takes the notes of one attempt, once it is sure that the coordinator will take all of them together. Whoever hands on what was
    `taken` takes it out there.
    """

    def __init__(self) -> None:
        self.taken: list[t.NewContextItem] = []
        self._count = 0
        self._bytes = 0

    def take(self, item: t.NewContextItem) -> None:
        """Raises PermanentTaskError `result_invalid`, and takes nothing, where the item does not fit."""
        fault = fault_of_json(item, '', 1) or fault_of_item(item)
        if fault is not None:
            raise PermanentTaskError(f'The context item does not fit: {fault}', code='result_invalid')
        written = to_json(item)
        size = len(written.encode())
        count = self._count
        if count + 1 > NOTES_MAX or self._bytes + size > NOTES_BYTES_MAX:
            raise PermanentTaskError(
                f'An attempt takes {NOTES_MAX} notes of {NOTES_BYTES_MAX} bytes together; it has {count} of {self._bytes} bytes, '
                f'and one of {size} bytes is too much. Put what is long into an artifact and refer to it.',
                code='result_invalid',
            )
        self._count += 1
        self._bytes += size
        # A copy: what the task changes later is not what was looked at.
        self.taken.append(json.loads(written))


def fault_of_item(item: t.NewContextItem) -> str | None:
    """The first field that the contract refuses, with the reason. `item` is known to be JSON."""
    if item['kind'] not in get_args(t.ContextKind):
        return f'kind: {item["kind"]} is none. Write one of {", ".join(get_args(t.ContextKind))}.'
    if not isinstance(item['text'], str) or re.search(r'[^\s\ufeff]', item['text']) is None:
        return 'text: Say something: a text of blanks is none.'
    for field in ('text', 'rationale'):
        fault = fault_of_length(field, item.get(field, ''), TEXT_MAX)
        if fault is not None:
            return fault
    for field in ('data', 'references'):
        length = units(to_json(item.get(field)))
        if length > JSON_MAX:
            return f'{field}: It has {length} characters as JSON; an item takes {JSON_MAX}. Put what is long into an artifact and refer to its digest.'
    if not isinstance(item.get('pinned'), bool):
        return 'pinned: Write True or False.'
    references = item.get('references', [])
    if len(references) > REFERENCES_MAX:
        return f'references: There are {len(references)}; an item has {REFERENCES_MAX} at most.'
    faults = (fault_of_reference(f'references[{index}]', each) for index, each in enumerate(references))
    return next((fault for fault in faults if fault is not None), None)


def fault_of_reference(path: str, reference: Any) -> str | None:
    if not isinstance(reference, dict) or not {'kind', 'value'} <= reference.keys() <= {'kind', 'value', 'line', 'lineEnd'}:
        return f"{path}: Write {{'kind': …, 'value': …}}, with a 'line' where there is one, and a 'lineEnd' where there are several."
    if reference['kind'] not in REFERENCE_KINDS:
        return f'{path}.kind: {reference["kind"]} is none. Write one of {", ".join(REFERENCE_KINDS)}.'
    for field in ('line', 'lineEnd'):
        line = reference.get(field, 1)
        if not isinstance(line, int) or isinstance(line, bool) or line < 1:
            return f'{path}.{field}: Write a whole number from 1 on.'
    if 'lineEnd' in reference and not reference.get('line', math.inf) <= reference['lineEnd']:
        return f"{path}.lineEnd: Give the first line as well, in 'line', and none that comes after this one."
    return fault_of_length(f'{path}.value', reference['value'], REFERENCE_MAX)


def fault_of_length(path: str, text: Any, units_max: int) -> str | None:
    if not isinstance(text, str):
        return f'{path}: Write a text.'
    return None if units(text) <= units_max else f'{path}: It has {units(text)} characters, and {units_max} are allowed.'


def fault_of_json(value: Any, path: str, depth: int) -> str | None:
    """The first thing inside that no message can carry, with the way that leads there."""
    if isinstance(value, str):
        return fault_of_text(value, path)
    if isinstance(value, dict):
        members = [(f'{path}.{key}' if path else str(key), key, inner) for key, inner in value.items()]
    elif isinstance(value, list | tuple):
        members = [(f'{path}[{index}]', '', inner) for index, inner in enumerate(value)]
    else:
        return fault_of_plain(value, path)
    if depth > DEPTH_MAX:
        return f'{path}: It nests deeper than {DEPTH_MAX} levels.'
    for where, key, inner in members:
        fault = fault_of_key(key, where) or fault_of_json(inner, where, depth + 1)
        if fault is not None:
            return fault
    return None


def fault_of_key(key: Any, path: str) -> str | None:
    if not isinstance(key, str) or key in ('__proto__', 'constructor', 'prototype'):
        return f'{path}: This name is not allowed.'
    return fault_of_text(key, path)


def fault_of_text(text: str, path: str) -> str | None:
    # PostgreSQL's text holds no NUL, and its jsonb no half of a surrogate pair.
    if '\0' in text:
        return f'{path}: The character U+0000 is not allowed.'
    return None if re.search('[\ud800-\udfff]', text) is None else f'{path}: The text holds half of a surrogate pair.'


def fault_of_plain(value: Any, path: str) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    if not isinstance(value, int | float):
        return f'{path}: {type(value).__name__} is nothing that JSON can hold.'
    try:
        return None if math.isfinite(value) else f'{path}: The number is too large.'
    except OverflowError:
        return f'{path}: The number is too large.'


def to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(',', ':'))


def units(text: str) -> int:
    """How long the coordinator finds a text, which counts a character beyond U+FFFF as two."""
    return len(text) + sum(character > '\uffff' for character in text)
