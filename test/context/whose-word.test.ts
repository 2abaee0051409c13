import { type Role, roles } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { registerTestAgent } from '../support/test-agent.ts';
import { createTicketIn, outcomeOf, setUpBench, uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const open = async () => (await createTicketIn(daemon.client, 'REQUIREMENTS')).id;
const connectAs = async (role: Role) => (await daemon.connectAs(role, `${role} ${uniqueType()}`)).client;
const textOf = async (ticketId: string) => (await daemon.client.context.get({ ticketId, forPhase: 'DESIGN' })).text;
const decision = (text: string) => ({ kind: 'decision' as const, text });

/** A ticket in which the coordinator has recorded that "Mend it" held a lock, as `c:1`. */
async function setUpRecord() {
  const bench = await setUpBench(daemon);
  await bench.submit({ title: 'Mend it', locks: [{ key: `file:src/${bench.type}.ts` }] });
  await bench.agent.complete(await bench.agent.claimOne());
  return { ticketId: bench.ticket.id, kind: 'fact' as const, text: `"Mend it" held the locks of src/${bench.type}.ts` };
}

describe('in the words of what the coordinator has recorded', () => {
  test('what an agent says stands as what was said, with its own reasons', async () => {
    const { ticketId, kind, text } = await setUpRecord();

    await daemon.client.context.note({ ticketId, item: { kind, text, rationale: 'All checks are green.' } });

    expect(await textOf(ticketId)).toBe(
      `## Facts\n- ${text} (All checks are green.) [c:2, REQUIREMENTS]\n\n## Recorded by the coordinator\n- ${text} [c:1, REQUIREMENTS]\n`,
    );
  });

  test('what an agent says can be pinned and given up, and the record stays as it is', async () => {
    const { ticketId, kind, text } = await setUpRecord();
    await daemon.client.context.note({ ticketId, item: { kind, text } });

    await daemon.client.context.pin({ ticketId, citation: 'c:2' });
    expect((await daemon.client.context.list({ ticketId, pinned: true })).items.map(({ citation }) => citation)).toEqual(['c:2']);
    await daemon.client.context.supersede({ ticketId, citation: 'c:2', by: decision('Ask first.'), reason: 'A test.' });

    expect(await textOf(ticketId)).toContain(`## Recorded by the coordinator\n- ${text} [c:1, REQUIREMENTS]\n`);
  });
});

describe('by an agent cannot be given up or let go', () => {
  const supersede = { by: { kind: 'fact' as const, text: 'It was nothing.' }, reason: 'I think so.' };

  test.each(roles)('what the coordinator has recorded: as a token of the role %s', async (role) => {
    const { ticketId } = await setUpRecord();
    await daemon.client.context.pin({ ticketId, citation: 'c:1' });
    const { context } = await connectAs(role);
    const expected = role === 'operator' || role === 'admin' ? 'accepted' : 'access_denied';

    expect(await outcomeOf(context.pin({ ticketId, citation: 'c:1', pinned: false }))).toBe(expected);
    expect(await outcomeOf(context.supersede({ ticketId, citation: 'c:1', ...supersede }))).toBe(expected);
  });

  test.each(roles)('what an operator has said: as a token of the role %s', async (role) => {
    const ticketId = await open();
    await (await connectAs('operator')).context.note({ ticketId, item: { ...decision('Never drop a table.'), pinned: true } });
    const { context } = await connectAs(role);
    const expected = role === 'operator' || role === 'admin' ? 'accepted' : 'access_denied';

    expect(await outcomeOf(context.pin({ ticketId, citation: 'c:1', pinned: false }))).toBe(expected);
    expect(await outcomeOf(context.supersede({ ticketId, citation: 'c:1', ...supersede }))).toBe(expected);
  });

  test('what an operator has pinned; the refusal names the item and what to do', async () => {
    const ticketId = await open();
    const { context } = await connectAs('agent');
    await context.note({ ticketId, item: decision('Use PostgreSQL.') });
    await (await connectAs('operator')).context.pin({ ticketId, citation: 'c:1' });

    const superseding = context.supersede({ ticketId, citation: 'c:1', ...supersede });

    await expect(superseding).rejects.toMatchObject({
      kind: 'access_denied',
      message: expect.stringContaining(
        'c:1 is what an operator or admin has said or pinned: only an operator or admin may supersede it or let it go. Note a question or a risk about it instead, with c:1 among its references.',
      ),
      data: { citation: 'c:1', role: 'agent', needs: 'operate' },
    });
    expect((await daemon.client.context.list({ ticketId })).items).toMatchObject([{ citation: 'c:1', pinned: true }]);
  });

  test('the same by way of saying it again, in this phase or a later one', async () => {
    const ticketId = await open();
    const { context } = await connectAs('agent');
    const item = { ...decision('Never drop a table.'), pinned: true };
    await (await connectAs('operator')).context.note({ ticketId, item });
    await context.note({ ticketId, item });
    await daemon.client.ticket.transition({ ticketId, to: 'DESIGN', force: true, reason: 'The test goes on.' });
    const again = await context.note({ ticketId, item });

    for (const citation of ['c:1', again.citation])
      expect(await outcomeOf(context.supersede({ ticketId, citation, ...supersede }))).toBe('access_denied');
  });

  test('what an operator has pinned and a newer record has taken the place of', async () => {
    const ticketId = await open();
    const { artifact, context } = await connectAs('agent');
    const put = (passed: number) => artifact.put({ ticketId, artifact: { type: 'test_results', name: 'unit', content: { passed } } });
    await put(40);
    await (await connectAs('operator')).context.pin({ ticketId, citation: 'c:2' });

    await put(41);

    const [pinned] = (await daemon.client.context.list({ ticketId, pinned: true, superseded: false })).items;
    expect(pinned!.text).toContain('41 passed');
    expect(await outcomeOf(context.pin({ ticketId, citation: pinned!.citation, pinned: false }))).toBe('access_denied');
  });

  test('what an attempt with an operator’s token brings, though the same completion is stored with that of an agent', async () => {
    const bench = await setUpBench(daemon);
    const ticketId = bench.ticket.id;
    const steering = await registerTestAgent(await daemon.connectAs('operator', uniqueType()), { capabilities: [bench.type] });
    const working = await registerTestAgent(await daemon.connectAs('agent', uniqueType()), { capabilities: [bench.type] });
    await bench.submit({}, {});
    const context = [decision('Never drop a table.')];
    const claims = [await steering.claimOne(), await working.claimOne()] as const;
    await Promise.all([steering.complete(claims[0], { context }), working.complete(claims[1], { context })]);

    expect(await outcomeOf(working.client.context.supersede({ ticketId, citation: 'c:1', ...supersede }))).toBe('access_denied');
  });
});

test('agents give up and let go what agents have said and pinned', async () => {
  const ticketId = await open();
  const [ada, ben] = [await connectAs('agent'), await connectAs('agent')];
  await ada.context.note({ ticketId, item: { ...decision('Use MySQL.'), pinned: true } });

  expect(await outcomeOf(ben.context.pin({ ticketId, citation: 'c:1', pinned: false }))).toBe('accepted');
  expect(await outcomeOf(ben.context.supersede({ ticketId, citation: 'c:1', by: decision('Use PostgreSQL.'), reason: 'Rows.' }))).toBe(
    'accepted',
  );
});

describe('in the words of what an operator has said', () => {
  const rule = { ...decision('Never drop a table.'), rationale: 'The audit asks for it.', data: { tables: 0 }, pinned: true };
  const file = (value: string) => ({ kind: 'file' as const, value });
  const others = { rationale: 'Unless it is small.', data: { tables: 9 }, references: [file('src/b.ts')] };

  /** An operator has said it as `c:1`, of which the agent adds another telling. */
  async function setUpRule() {
    const ticketId = await open();
    const [operator, agent] = [await connectAs('operator'), await connectAs('agent')];
    const said = await operator.context.note({ ticketId, item: { ...rule, references: [file('src/a.ts')] } });
    return { ticketId, operator, said, repeat: () => agent.context.note({ ticketId, item: { ...rule, ...others } }) };
  }

  test('an agent adds references to it and changes nothing else', async () => {
    const { ticketId, said, repeat } = await setUpRule();

    const again = await repeat();

    expect(said).toMatchObject({ ...rule, byOperator: true });
    expect(again).toEqual({ ...said, references: [file('src/a.ts'), file('src/b.ts')] });
    expect((await daemon.client.context.list({ ticketId })).items).toEqual([again]);
  });

  test('an agent pushes out none of its references', async () => {
    const ticketId = await open();
    const references = (name: string) => Array.from({ length: 15 }, (_, index) => file(`${name}${index}${'x'.repeat(1_000)}`));
    const said = await (await connectAs('operator')).context.note({ ticketId, item: { ...rule, references: references('a') } });

    const again = await (await connectAs('agent')).context.note({ ticketId, item: { ...rule, references: references('b') } });

    expect(again).toEqual(said);
  });

  test('an agent says something of its own in a later phase, and packs tell the operator’s word', async () => {
    const { ticketId, said, repeat } = await setUpRule();
    await daemon.client.ticket.transition({ ticketId, to: 'DESIGN', force: true, reason: 'The test goes on.' });

    const again = await repeat();

    expect(again).toMatchObject({ citation: 'c:2', ...others });
    expect(await textOf(ticketId)).toBe('## Decisions\n- Never drop a table. (The audit asks for it.) [c:1, REQUIREMENTS]\n');
    expect((await daemon.client.context.aggregate({ ticketId })).items).toMatchObject([
      { citation: 'c:1', author: said.author, rationale: rule.rationale, references: [file('src/a.ts'), file('src/b.ts')] },
    ]);
  });

  test('what an agent has said beside it is no operator’s word when the operator pins his own anew', async () => {
    const { ticketId, operator, repeat } = await setUpRule();
    await daemon.client.ticket.transition({ ticketId, to: 'DESIGN', force: true, reason: 'The test goes on.' });
    await repeat();

    await operator.context.pin({ ticketId, citation: 'c:1', pinned: false });
    await operator.context.pin({ ticketId, citation: 'c:1' });

    expect(await textOf(ticketId)).toContain('Never drop a table. (The audit asks for it.) [c:1, REQUIREMENTS]');
  });

  test('an operator says more about it', async () => {
    const { ticketId, repeat, operator } = await setUpRule();
    await repeat();

    const again = await operator.context.note({ ticketId, item: { ...decision(rule.text), rationale: 'And the law.' } });

    expect(again).toMatchObject({ citation: 'c:1', rationale: 'The audit asks for it.\nAnd the law.', data: { tables: 0 } });
  });
});

test('what an operator has pinned is told as his word, also where an agent had pinned it before', async () => {
  const ticketId = await open();
  await (await connectAs('agent')).context.note({ ticketId, item: { ...decision('Use MySQL.'), pinned: true } });
  await textOf(ticketId);

  await (await connectAs('operator')).context.pin({ ticketId, citation: 'c:1' });

  const { own } = await daemon.client.context.get({ ticketId, forPhase: 'REQUIREMENTS' });
  expect(own!.items).toMatchObject([{ citation: 'c:1', byOperator: true }]);
});
