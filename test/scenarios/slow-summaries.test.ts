import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ContextPack } from '@baton/protocol';
import type { Config } from '../../coordinator/src/config.ts';
import type { Daemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { constraint, countRuns, createSummarizerTrial, fact, type SummarizerTrial, takeNotes } from '../support/summaries.ts';
import { createTicketIn, setUpBench } from '../support/work.ts';

/** What the summarizer `asking` waits for. Each path is the number of items that it is given. */
const waiting: ServerResponse[] = [];
const answer = (text: string) => {
  for (const response of waiting.splice(0)) response.end(text);
};
const server = createServer((_: IncomingMessage, response: ServerResponse) => void waiting.push(response));
let asking: (config: Partial<Config>) => Promise<Daemon>;
let daemon: Daemon;
let trial: SummarizerTrial;
beforeAll(async () => {
  trial = await createSummarizerTrial();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  asking = async (config) => trial.daemonWith('asking', { summarizerConfigFile: await trial.writeConfig({ url }), ...config });
  daemon = await asking({ summaryWaitMs: 1 });
});
afterAll(async () => {
  await daemon.stop();
  await trial.remove();
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});
const isAsked = () => eventually(() => expect(waiting).toHaveLength(1));

describe('a summarizer that takes its time', () => {
  test('is not asked at all while a task waits to be claimed', async () => {
    const bench = await setUpBench(daemon);
    const ticketId = bench.ticket.id;
    await daemon.client.context.note({ ticketId, item: fact });
    await daemon.client.ticket.transition({ ticketId, to: 'DESIGN', force: true, reason: 'The test goes on.' });
    await bench.submit({ input: { known: '{{ context }}' } });

    const claim = await bench.agent.claimOne();

    expect(JSON.stringify(claim)).toContain('The queue is read in order. [c:1');
    expect([waiting.length, await countRuns(daemon, 'ok')]).toEqual([0, 0]);
  });

  test('is asked neither for a pack that has no room for what it says, nor for what no summary can cover', async () => {
    const small = await createTicketIn(daemon.client, 'DESIGN');
    await daemon.client.context.note({ ticketId: small.id, item: fact });
    const bench = await setUpBench(daemon);
    await bench.submit({});
    const context = Array.from({ length: 100 }, (_, number) => ({
      kind: 'constraint' as const,
      text: `Queue ${number} has room for all.`,
    }));
    await bench.agent.complete(await bench.agent.claimOne(), { context });

    await daemon.client.context.get({ ticketId: small.id, forPhase: 'IMPLEMENTATION', budgetTokens: 1_900 });
    const { narrative } = await daemon.client.context.aggregate({ ticketId: bench.ticket.id, phase: 'REQUIREMENTS' });

    expect(narrative).toMatchObject({
      by: 'extractive',
      fallbackBecause: expect.stringMatching(
        /^What it must have of the 100 constraints, rejected alternatives and numbers has \d+ tokens, and a summary has 800\.$/,
      ),
    });
    expect([waiting.length, await countRuns(daemon, 'ok')]).toEqual([0, 0]);
  });

  test('is asked where constraints are long, since half of their different words may be few', async () => {
    const long = 'It answers whoever has waited. '.repeat(12).trim();
    const constraints = Array.from({ length: 20 }, (_, number) => ({
      kind: 'constraint' as const,
      text: `Queue ${String.fromCodePoint(0x61 + number).repeat(4)} has room. ${long}`,
    }));
    const { summarize } = await takeNotes(daemon, ...constraints);

    expect((await summarize()).fallbackBecause).toContain('It is still being written');
    await isAsked();
    answer('All of it.');
    await eventually(async () => expect((await summarize()).fallbackBecause).toMatch(/^The summary has \d+ tokens, of 800 allowed\.$/));
  });

  test('is not waited for; what it says then is kept, answered as stale while it says it anew, and never without a constraint', async () => {
    const { note, summarize } = await takeNotes(daemon, fact);

    expect(await summarize()).toMatchObject({ by: 'extractive', fallbackBecause: expect.stringContaining('It is still being written') });
    await isAsked();
    answer('First words.');
    await eventually(async () => expect(await summarize()).toMatchObject({ by: 'asking@2.3.4', stale: false }));
    const written = await summarize();

    await note({ kind: 'fact', text: 'The queue has a limit.' });
    expect(await summarize()).toEqual({ ...written, stale: true });
    await isAsked();

    await note(constraint);
    expect(await summarize()).toMatchObject({
      by: 'extractive',
      stale: false,
      text: expect.stringContaining('Answers within 50 ms. [c:3]'),
    });
    answer('Second words.');
    await isAsked();
    answer('Third words.');
    await eventually(async () =>
      expect(await summarize()).toMatchObject({ by: 'asking@2.3.4', stale: false, text: expect.stringMatching(/^Third words/) }),
    );
  });

  test('changes a pack by an event, and by nothing else', async () => {
    const { id: ticketId } = await createTicketIn(daemon.client, 'DESIGN');
    await daemon.client.context.note({ ticketId, item: fact });
    const packNow = () => daemon.client.context.get({ ticketId, forPhase: 'IMPLEMENTATION' });
    const narrativeOf = ({ phases }: ContextPack) => phases.find(({ phase }) => phase === 'DESIGN')!.narrative!;

    const late = await packNow();
    await isAsked();
    answer('');
    await eventually(async () => expect(narrativeOf(await packNow()).fallbackBecause).toMatch(/says nothing/));
    const failed = await packNow();
    expect(narrativeOf(late).fallbackBecause).toMatch(/still being written/);
    expect([failed.text, failed.asOf, failed.digest]).toEqual([late.text, late.asOf, late.digest]);

    await daemon.client.context.note({ ticketId, item: { ...fact, text: 'It is small.' } });
    const before = await packNow();
    await isAsked();
    answer('Words.');
    await eventually(async () => expect((await packNow()).asOf).toBeGreaterThan(before.asOf));
    const after = await packNow();
    expect(narrativeOf(after)).toMatchObject({ by: 'asking@2.3.4', stale: false });
    expect(after.digest).not.toBe(before.digest);
    expect(await packNow()).toEqual(after);
    const { events } = await daemon.client.event.list({ ticketId, limit: 1_000 });
    const { by, digest } = narrativeOf(after);
    expect(events.at(-1)).toMatchObject({ seq: after.asOf, name: 'context.summarized', data: { ticketId, phase: 'DESIGN', by, digest } });
  });

  test('is asked for one ticket after the other, and not for what has changed while it waited', async () => {
    const asked = () => waiting.map(({ req }) => req.url);
    const [busy, other] = [await takeNotes(daemon, fact), await takeNotes(daemon, fact, { ...fact, text: 'It is small.' })];
    await busy.summarize();
    await isAsked();
    expect(asked()).toEqual(['/1']);

    for (const text of ['Two.', 'Three.']) {
      await busy.note({ kind: 'fact', text });
      await busy.summarize();
    }
    await other.summarize();
    await busy.note({ kind: 'fact', text: 'Four.' });
    await busy.summarize();

    const order: (string | undefined)[] = [];
    for (let count = 0; count < 3; count += 1) {
      await isAsked();
      order.push(...asked());
      answer('Words.');
    }
    expect(order).toEqual(['/1', '/4', '/2']);
    await eventually(async () => expect(await other.summarize()).toMatchObject({ by: 'asking@2.3.4', stale: false }));
    expect(waiting).toEqual([]);
  });

  test('is asked for all phases of a ticket at once, so that a reader waits once', async () => {
    await using patient = await asking({ summariesInFlightMax: 2 });
    const { id: ticketId } = await createTicketIn(patient.client, 'DESIGN');
    await patient.client.context.note({ ticketId, item: fact });
    await patient.client.ticket.transition({ ticketId, to: 'IMPLEMENTATION', force: true, reason: 'The test goes on.' });
    await patient.client.context.note({ ticketId, item: fact });

    const whole = patient.client.context.aggregate({ ticketId });
    await eventually(() => expect(waiting).toHaveLength(2));
    answer('Words.');

    expect((await whole).narrative).toMatchObject({
      by: 'asking@2.3.4',
      text: expect.stringMatching(/^## DESIGN\nWords[^]*## IMPLEMENTATION\nWords/),
    });
  });
});
