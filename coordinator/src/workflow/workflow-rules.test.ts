import { softwareDelivery } from '@baton/protocol';
import { describe, expect, test } from 'vitest';
import { edgesFrom, gatesAround, isFinal, nextPhase } from './workflow-rules.ts';

test('work flows forward until nothing follows', () => {
  expect([nextPhase(softwareDelivery, 'TESTING'), nextPhase(softwareDelivery, 'DONE')]).toEqual(['DEPLOYMENT', undefined]);
  expect([isFinal(softwareDelivery, 'DONE'), isFinal(softwareDelivery, 'BLOCKED')]).toEqual([true, false]);
});

test('P6 a blocked ticket may return to the phase it was blocked in, and another may not', () => {
  const ways = (blockedIn: string) => edgesFrom(softwareDelivery, { phase: 'BLOCKED', blockedIn }).map(({ to }) => to);

  expect(ways('DEPLOYMENT')).toContain('DEPLOYMENT');
  expect(ways('DESIGN')).not.toContain('DEPLOYMENT');
});

describe('gates that a way leads around', () => {
  const around = (blockedIn: string | null, to: string) =>
    gatesAround(softwareDelivery, { phase: 'BLOCKED', blockedIn }, { to, kind: 'unblock' });

  test('G13 a blocked ticket that goes on further than it was has passed none of the gates in between', () => {
    expect(around('REQUIREMENTS', 'TESTING')).toEqual(['REQUIREMENTS', 'DESIGN', 'IMPLEMENTATION']);
    expect(around('TESTING', 'TESTING')).toEqual([]);
    expect(around('TESTING', 'DESIGN')).toEqual([]);
    expect(around('BACKLOG', 'REQUIREMENTS')).toEqual([]);
  });

  test('a ticket that began in the blocked phase has passed nothing', () => expect(around(null, 'DESIGN')).toEqual(['REQUIREMENTS']));

  test('a way that asks for no gate leads around one wherever it leads on, except into the blocked phase', () => {
    const from = (to: string, kind: 'forward' | 'block' | 'regression' | 'unblock') =>
      gatesAround(softwareDelivery, { phase: 'DESIGN', blockedIn: null }, { to, kind });

    expect([from('TESTING', 'forward'), from('BLOCKED', 'block'), from('REQUIREMENTS', 'regression')]).toEqual([[], [], []]);
    expect([from('TESTING', 'regression'), from('DONE', 'block')]).toEqual([
      ['DESIGN', 'IMPLEMENTATION'],
      ['DESIGN', 'IMPLEMENTATION', 'TESTING', 'DEPLOYMENT'],
    ]);
  });
});
