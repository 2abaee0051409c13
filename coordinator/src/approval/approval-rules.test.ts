import { type ApprovalRule, gateDefinition, type Role } from '@baton/protocol';
import { describe, expect, test } from 'vitest';
import { findMissingApprovals, settle, whyNot } from './approval-rules.ts';

const rule = (given: Partial<ApprovalRule>) => gateDefinition.parse({ approvals: [{ name: 'release', ...given }] }).approvals![0]!;
const by = (...names: readonly string[]) => new Map<string, Role>(names.map((name) => [name, 'operator']));
const messageOf = (given: Partial<ApprovalRule>, authors: ReadonlyMap<string, Role>) =>
  findMissingApprovals([rule(given)], [], { authors, strangers: new Set() })[0]?.message;

describe('what the decisions come to', () => {
  const named: Partial<ApprovalRule> = { by: ['ada', 'bob', 'eva'], count: 2, onRefusal: 'count' };

  test.each<[Partial<ApprovalRule>, authors: string[], decisions: ('approve' | 'refuse')[], string]>([
    [{}, [], ['approve'], 'approved'],
    [{}, [], ['refuse'], 'refused'],
    [{ count: 2, onRefusal: 'count' }, [], ['refuse', 'approve'], 'waiting'],
    [named, [], ['refuse'], 'waiting'],
    [named, [], ['refuse', 'refuse'], 'refused'],
    [named, ['ada'], ['refuse'], 'refused'],
    [{ ...named, authorsMay: true }, ['ada'], ['refuse'], 'waiting'],
    // Too few could give it from the beginning: nobody has refused anything.
    [{ ...named, count: 3 }, ['ada'], ['approve'], 'waiting'],
    [named, ['somebody else'], ['refuse'], 'waiting'],
    // With no token of hers may one who is named approve her own work, whatever the role that it was made with.
    [{ ...named, roles: ['admin'] }, ['ada'], ['refuse'], 'refused'],
  ])('%j, the work of %j, decided %j: %s', (given, authors, decisions, state) =>
    expect(
      settle(
        rule(given),
        decisions.map((decision) => ({ decision })),
        by(...authors),
      ),
    ).toBe(state),
  );
});

describe('whose work it is', () => {
  test('those are named who could decide otherwise, and no others', () =>
    expect(messageOf({ roles: ['admin'] }, new Map<string, Role>([...by('ada'), ['root', 'admin']]))).toBe(
      '"release" waits for 1 approval of the role admin (not of root, whose work it is).',
    ));

  test('a few of many are named', () =>
    expect(messageOf({}, by('a', 'b', 'c', 'd', 'e', 'f', 'g'))).toContain('(not of a, b, c, d, e and 2 others, whose work it is)'));

  test('nobody who is told to be waited for is turned away', () => {
    const authors = by('ada');

    expect(whyNot(rule({ by: ['ada', 'bob'] }), { name: 'bob', role: 'operator' }, authors)).toBeUndefined();
    expect(whyNot(rule({ by: ['ada', 'bob'] }), { name: 'ada', role: 'operator' }, authors)).toContain('made with your token ada');
  });
});
