import { join } from 'node:path';
import type { JsonObject, WorkflowDefinitionInput } from '@baton/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture, writePackage } from '../../sdk/src/plugin-host/plugin-fixture.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { runStatement } from '../support/stores.ts';
import { takeNotes } from '../support/summaries.ts';
import { uniqueType } from '../support/work.ts';

/** Says with the verb of its configuration what that gives as numbers of characters, since no workflow could give it as a text. */
const oddPlugin = `
  import { definePlugin, defineSummarizer, defineValidator } from '@baton/sdk/plugin';
  import { z } from 'zod';
  const numbers = z.array(z.number()).default([120]);
  const toText = (codes) => String.fromCharCode(...codes);
  export default definePlugin({
    name: 'odd',
    apiVersion: 1,
    validators: [
      defineValidator({
        name: 'odd',
        config: z.object({ verb: z.string(), code: numbers, message: numbers, path: numbers }),
        validate({ config, ...verbs }) {
          const [code, message, path] = [config.code, config.message, config.path].map(toText);
          if (config.verb === 'throw') throw Object.assign(new Error(message), { name: code });
          if (config.verb === 'throwText') throw message;
          verbs[config.verb](config.verb === 'skip' ? message : code, message, { path });
        },
      }),
    ],
    summarizers: [
      defineSummarizer({
        name: 'odd',
        config: z.object({}),
        summarize: ({ items }) => {
          const citations = items.map(({ citation }) => citation);
          return { text: \`\${items.map(({ text }) => text).join(' ')} \\0 \\ud83d [\${citations.join(',')}]\`, citations };
        },
      }),
    ],
  });`;

let daemon: Daemon;
let fixture: PluginFixture;
beforeAll(async () => {
  fixture = await createPluginFixture();
  const about = { name: 'odd', baton: { apiVersion: 1, validators: ['odd'], summarizers: ['odd'] } };
  const plugin = await writePackage(join(fixture.folder, 'odd'), about, oddPlugin);
  const plugins = ['@baton/plugin-criteria', '@baton/plugin-command', plugin];
  daemon = await startDaemon({ config: { plugins, summarizer: 'odd' } });
});
afterAll(async () => {
  await daemon.stop();
  await fixture.remove();
});

type GateInput = NonNullable<WorkflowDefinitionInput['phases'][number]['gate']>;

async function openTicket(gate: GateInput): Promise<string> {
  const name = uniqueType();
  const phases = [{ name: 'WORK', gate: { tasksMin: 0, ...gate } }, { name: 'END' }];
  await daemon.client.workflow.put({ definition: { name, phases, edges: [{ from: 'WORK', to: 'END', kind: 'forward' }] } });
  const { id } = await daemon.client.ticket.create({ title: 'T', workflow: { name } });
  return id;
}

const judge = async (gate: GateInput) => daemon.client.gate.validate({ ticketId: await openTicket(gate) });
const judgeOdd = (config: JsonObject) => judge({ validators: [{ use: 'odd', config, requirement: 'advisory' }] });

const codesOf = (text: string): number[] => Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));

/** The units that texts are made of: those that no database stores, what has to be escaped, and what takes many bytes. */
const unit = fc.oneof(
  fc.constantFrom(0, 0xd83d, 0xde00, 0xfffe, 0xffff, 0x202e, 0x22, 0x5c, 0x27, 0x0a),
  fc.integer({ min: 0, max: 0x1f }),
  fc.integer({ min: 0xd800, max: 0xdfff }),
  fc.integer({ min: 0x4e00, max: 0x9fff }),
  fc.integer({ min: 0, max: 0xffff }),
);
const manyBytes = fc.integer({ min: 0x4e00, max: 0x9fff });
const escaped = fc.integer({ min: 1, max: 0x1f });

/** At random, so that no database makes them smaller by packing them. */
const listUnits = (count: number, one = manyBytes): number[] =>
  fc.sample(fc.array(one, { minLength: count, maxLength: count }), { numRuns: 1, seed: 20_261_123 })[0]!;

const units = (most: number) => fc.array(unit, { maxLength: most, size: 'max' });

test('whatever characters a validator says, its gate is judged, recorded and passed', async () => {
  const said = fc.record({
    verb: fc.constantFrom('fail', 'warn', 'info', 'skip', 'throw', 'throwText'),
    code: units(140),
    message: units(4_100),
    path: units(1_100),
  });

  await fc.assert(
    fc.asyncProperty(said, async (config) => {
      const ticketId = await openTicket({ validators: [{ use: 'odd', config, requirement: 'advisory' }] });
      const { outcome, verdicts } = await daemon.client.gate.validate({ ticketId });
      expect(outcome).toBe('passed');
      expect(verdicts[0]!.findings.map(({ code }) => code)).toEqual([expect.not.stringMatching('not_stored')]);
      expect((await daemon.client.context.list({ ticketId, sources: ['mechanical'] })).items).toHaveLength(1);
      expect((await daemon.client.ticket.transition({ ticketId, to: 'END' })).ticket.phase).toBe('END');
    }),
    { numRuns: 25, seed: 20_261_123 },
  );
});

describe('a gate is judged', () => {
  test('with a mark in the place of what no database stores, and no character cut in half', async () => {
    const message = `a\0b\ud83d${'😀'.repeat(3_000)}`;

    const { verdicts } = await judgeOdd({ verb: 'fail', message: codesOf(message) });

    expect(verdicts[0]!.findings[0]!.message).toBe(`a\uFFFDb\uFFFD${'😀'.repeat(1_998)}`);
  });

  test('where a criterion tells of content that is cut within a character', async () => {
    const criteria = [{ artifact: 'report', path: 'summary', op: 'contains' as const, value: 'rollback' }];
    const ticketId = await openTicket({ criteria });
    const content = { summary: `${'x'.repeat(197)}🚀 shipped.` };
    await daemon.client.artifact.put({ ticketId, artifact: { type: 'report', content } });

    const { reasons } = await daemon.client.gate.validate({ ticketId });

    expect(reasons.map(({ message }) => message)).toEqual([expect.stringContaining(`"${'x'.repeat(197)}…`)]);
  });

  test('where a program prints bytes that are no text', async () => {
    const script = 'process.stderr.write(Buffer.concat([Buffer.from([0, 255]), Buffer.from("😀".repeat(5_000) + "a")])); process.exit(1)';

    const { reasons } = await judge({ validators: [{ use: 'command', config: { command: [process.execPath, '-e', script] } }] });

    expect(reasons).toMatchObject([{ code: 'validator_failed' }]);
  });

  test('where a place is named with as many bytes as it may have', async () => {
    const path = listUnits(1_024);

    const { verdicts } = await judgeOdd({ verb: 'fail', path });

    expect(verdicts[0]!.findings[0]!.path).toHaveLength(1_024);
  });
});

test('whatever characters a summarizer writes, its summary is kept', async () => {
  const { summarize } = await takeNotes(daemon, { kind: 'constraint', text: 'Cards are never logged.' });

  expect(await summarize()).toMatchObject({ by: 'odd@1.0.0', text: 'Cards are never logged. \uFFFD \uFFFD [c:1]' });
});

test('a gate whose verdicts the database does not take says so, and is not passed', async () => {
  await runStatement(
    daemon.databaseUrl!,
    `create function refuse_word() returns trigger language plpgsql as $$ begin
       if new.verdicts::text like '%indigestible%' then raise exception 'too much' using errcode = '54000'; end if;
       return new;
     end $$;
     create trigger refuse_word before insert on gate_results for each row execute function refuse_word()`,
  );
  const config = { verb: 'info', message: codesOf('indigestible') };
  const ticketId = await openTicket({ validators: [{ use: 'odd', config }] });

  const { outcome } = await daemon.client.gate.validate({ ticketId });

  const { state, missing } = await daemon.client.gate.status({ ticketId });
  expect({ outcome, state, missing }).toEqual({
    outcome: 'failed',
    state: 'blocked',
    missing: [
      {
        code: 'validator_error',
        validator: 'odd',
        findingCode: 'not_stored',
        message: 'What it said cannot be stored (SQLSTATE 54000). The log of the coordinator names the cause.',
      },
    ],
  });
});

test('names of as many bytes as they may have are recorded', async () => {
  const phase = 'P'.repeat(64);
  const workflow = { name: uniqueType() };
  const type = 'c'.repeat(128);
  const edges = [{ from: phase, to: 'END', kind: 'forward' as const }];
  await daemon.client.workflow.put({ definition: { ...workflow, phases: [{ name: phase }, { name: 'END' }], edges } });
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'T', workflow });
  const names = [manyBytes, escaped, fc.oneof(manyBytes, escaped)].map((one) => String.fromCharCode(...listUnits(800, one)));

  for (const name of names) await daemon.client.artifact.put({ ticketId, artifact: { type, name, content: {} } });

  expect((await daemon.client.artifact.list({ ticketId })).artifacts.map(({ name }) => name)).toEqual(names);
});
