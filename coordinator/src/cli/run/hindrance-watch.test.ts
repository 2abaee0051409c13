import { expect, test } from 'vitest';
import { createHindranceWatch } from './hindrance-watch.ts';

const blockedReason = 'The gate of TESTING could not be judged.';
const hindered = { ticket: { blockedReason }, tasks: [] };

/** What is told at each look, from one minute to the next. */
function look(...standings: readonly Parameters<ReturnType<typeof createHindranceWatch>>[0][]) {
  let minutes = 0;
  const watch = createHindranceWatch(() => minutes * 60_000);
  return standings.map((standing) => {
    const told = watch(standing);
    minutes += 1;
    return told;
  });
}

test('a ticket that has not gone on for a minute stands still, and the reason is told', () =>
  expect(look(hindered, hindered)).toEqual([undefined, blockedReason]));

test.each([
  ['it was not hindered in between', { ticket: {}, tasks: [] }],
  ['something was done in between', { ...hindered, tasks: [{ id: 'a task' }] }],
])('where %s the minute begins anew', (_, other) =>
  expect(look(hindered, other, hindered, hindered)).toEqual([undefined, undefined, undefined, blockedReason]),
);
