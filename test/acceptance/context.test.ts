import type { NewContextItemInput } from '@baton/protocol';
import { countTokens } from '@baton/sdk/plugin/host';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type Bench, mainLine, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const decision = (text: string): NewContextItemInput => ({ kind: 'decision', text });
const risk = (text: string): NewContextItemInput => ({ kind: 'risk', text });

/** One task, done, that leaves these items. */
async function completeTaskNoting({ agent, submit }: Bench, summary: string, ...context: readonly NewContextItemInput[]): Promise<void> {
  await submit({ title: summary });
  await agent.complete(await agent.claimOne(), { summary, context: [...context] });
}

const goOn = (ticketId: string, to: string) => daemon.client.ticket.transition({ ticketId, to, force: true, reason: 'The test goes on.' });

/** A ticket in DESIGN with one task done in REQUIREMENTS and one in DESIGN. */
async function setUpTwoPhases(): Promise<Bench> {
  const bench = await setUpBench(daemon);
  await completeTaskNoting(bench, 'Agreed what is wanted', decision('Freeze MVP scope'));
  await goOn(bench.ticket.id, 'DESIGN');
  await completeTaskNoting(bench, 'Drew the parts', decision('Adopt event-driven design'));
  return bench;
}

describe('what a phase has come to', () => {
  test('C1 two completed tasks, their decisions, the risk, the artifact, and both texts', async () => {
    const bench = await setUpBench(daemon);
    await bench.submit({});
    await bench.agent.complete(await bench.agent.claimOne(), {
      summary: 'Validated authentication scope',
      context: [decision('Adopt OAuth2'), decision('Document non-functional requirements'), risk('Token leakage')],
      artifacts: [{ type: 'auth_scope', content: { flows: 2 } }],
    });
    await completeTaskNoting(bench, 'Outlined data contracts', decision('Introduce schema registry'));

    const phase = await daemon.client.context.aggregate({ ticketId: bench.ticket.id, phase: 'REQUIREMENTS' });

    expect(phase.tasksCompleted).toBe(2);
    expect(phase.items.filter(({ kind }) => kind === 'decision').map(({ text }) => text)).toEqual([
      'Adopt OAuth2',
      'Document non-functional requirements',
      'Introduce schema registry',
    ]);
    expect(phase.items.filter(({ kind }) => kind === 'risk').map(({ text }) => text)).toEqual(['Token leakage']);
    expect(phase.artifacts.map(({ type }) => type)).toEqual(['auth_scope']);
    expect(phase.summaries.toSorted()).toEqual(['Outlined data contracts', 'Validated authentication scope']);
  });

  test('C2 a pack names the phase, the decision and the risk', async () => {
    const bench = await setUpBench(daemon);
    await completeTaskNoting(bench, 'Planned the release', decision('Use feature flags'), risk('Scope creep'));

    const { text } = await daemon.client.context.get({ ticketId: bench.ticket.id, forPhase: 'DESIGN' });

    expect(text).toContain('REQUIREMENTS');
    expect(text).toContain('Use feature flags');
    expect(text).toContain('Scope creep');
  });

  test('C3, C8 the context for a phase holds all earlier ones, in workflow order, and not itself', async () => {
    const { ticket } = await setUpTwoPhases();

    const pack = await daemon.client.context.get({ ticketId: ticket.id, forPhase: 'IMPLEMENTATION' });

    const names = pack.phases.map(({ phase }) => phase);
    expect(names.filter((name) => name !== 'BACKLOG')).toEqual(['REQUIREMENTS', 'DESIGN']);
    expect(pack.text).toContain('Freeze MVP scope');
    expect(pack.text).toContain('event-driven');
    expect(pack.text.indexOf('REQUIREMENTS')).toBeLessThan(pack.text.indexOf('DESIGN'));
    expect(pack.text).not.toContain('IMPLEMENTATION');
  });

  test('C4 leaving a phase stores its context without being asked', async () => {
    const bench = await setUpBench(daemon);
    await completeTaskNoting(bench, 'Agreed what is wanted', decision('Freeze MVP scope'));
    const before = await daemon.client.context.aggregate({ ticketId: bench.ticket.id, phase: 'REQUIREMENTS' });

    await goOn(bench.ticket.id, 'DESIGN');

    const after = await daemon.client.context.aggregate({ ticketId: bench.ticket.id, phase: 'REQUIREMENTS' });
    expect([before.stored, after.stored]).toEqual([false, true]);
    expect(after.items.map(({ text }) => text)).toEqual(['Freeze MVP scope']);
    expect(after.tasksCompleted).toBe(1);
  });

  test('C5 after leaving DESIGN both phases are stored, DESIGN last', async () => {
    const { ticket } = await setUpTwoPhases();

    await goOn(ticket.id, 'IMPLEMENTATION');

    const { phases } = await daemon.client.context.get({ ticketId: ticket.id, forPhase: 'IMPLEMENTATION' });
    const stored = phases.filter(({ phase, stored }) => stored && phase !== 'BACKLOG');
    expect(stored.map(({ phase }) => phase)).toEqual(['REQUIREMENTS', 'DESIGN']);
    expect(stored.map(({ visit }) => visit)).toEqual([2, 3]);
  });

  test('C6 decisions in an output may be texts, and objects with a rationale', async () => {
    const bench = await setUpBench(daemon);
    await bench.submit({});
    await bench.agent.complete(await bench.agent.claimOne(), {
      output: {
        decisions: ['Adopt OAuth2', { text: 'Use PostgreSQL', rationale: 'We know it.' }, { verdict: 'no statement' }, 7],
        risks: ['Token leakage'],
      },
    });

    const { items } = await daemon.client.context.aggregate({ ticketId: bench.ticket.id, phase: 'REQUIREMENTS' });

    expect(items.map(({ kind, text, rationale }) => ({ kind, text, rationale }))).toEqual([
      { kind: 'decision', text: 'Adopt OAuth2', rationale: undefined },
      { kind: 'decision', text: 'Use PostgreSQL', rationale: 'We know it.' },
      { kind: 'risk', text: 'Token leakage', rationale: undefined },
      {
        kind: 'fact',
        text: expect.stringContaining('what has no text and was not taken: {"verdict":"no statement"}, 7'),
        rationale: undefined,
      },
    ]);
  });

  test('C7 of nine decisions in each of five phases the newest fit the budget, which counts tokens', async () => {
    const { ticket } = await setUpBench(daemon, { phase: 'BACKLOG' });
    const phases = mainLine.slice(0, 5);
    for (const [place, phase] of phases.entries()) {
      for (let number = 1; number <= 9; number += 1)
        await daemon.client.context.note({
          ticketId: ticket.id,
          item: decision(`Decision ${number} of ${phase} settles something that was open until then.`),
        });
      await goOn(ticket.id, mainLine[place + 1]!);
    }

    const pack = await daemon.client.context.get({ ticketId: ticket.id, forPhase: 'DEPLOYMENT', budgetTokens: 400 });

    expect(pack.tokens).toBeLessThanOrEqual(400);
    expect(countTokens(pack.text)).toBe(pack.tokens);
    expect(pack.text).toContain('Decision 9 of TESTING');
    expect(pack.text).not.toContain('Decision 1 of BACKLOG');
    expect(pack.omitted.length + pack.phases.flatMap(({ items }) => items).length).toBe(45);
    expect(pack.omitted.every(({ tokens }) => tokens > 5)).toBe(true);
  });

  test('C9 two tasks that complete at once lose nothing', async () => {
    const bench = await setUpBench(daemon);
    const other = await daemon.connectAgent({ capabilities: [bench.type] });
    await bench.submit({}, {});
    const [one, two] = [await bench.agent.claimOne(), await other.claimOne()];

    await Promise.all([
      bench.agent.complete(one, { summary: 'One', context: Array.from({ length: 5 }, (_, index) => decision(`One decided ${index}`)) }),
      other.complete(two, { summary: 'Two', context: Array.from({ length: 5 }, (_, index) => decision(`Two decided ${index}`)) }),
    ]);

    const { items } = await daemon.client.context.list({ ticketId: bench.ticket.id });
    expect(items.filter(({ source }) => source === 'said')).toHaveLength(10);
    expect(items.map(({ citation }) => citation)).toEqual(items.map((_, index) => `c:${index + 1}`));
  });

  test('C10 the same text of the same kind appears once', async () => {
    const bench = await setUpBench(daemon);
    await completeTaskNoting(bench, 'First', decision('Use PostgreSQL'));
    await completeTaskNoting(bench, 'Second', decision('Use PostgreSQL'), risk('Use PostgreSQL'));
    await daemon.client.context.note({ ticketId: bench.ticket.id, item: decision('Use PostgreSQL') });

    const { items } = await daemon.client.context.aggregate({ ticketId: bench.ticket.id, phase: 'REQUIREMENTS' });

    expect(items.map(({ kind, text }) => [kind, text])).toEqual([
      ['decision', 'Use PostgreSQL'],
      ['risk', 'Use PostgreSQL'],
    ]);
  });
});
