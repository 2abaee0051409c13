import type { JsonObject } from '@baton/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const coverage = {
  type: 'object',
  properties: { percentage: { type: 'number', minimum: 0, maximum: 100 } },
  required: ['percentage'],
  additionalProperties: false,
};

const put = (schema: JsonObject, name = `typed ${crypto.randomUUID()}`) =>
  daemon.client.workflow.put({
    definition: {
      name,
      phases: [{ name: 'WORK' }, { name: 'DONE' }],
      edges: [{ from: 'WORK', to: 'DONE', kind: 'forward' }],
      artifactTypes: { test_coverage: { schema } },
    },
  });

async function createTicket(schema: JsonObject = coverage) {
  const { name } = await put(schema);
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Typed evidence', workflow: { name } });
  const store = (type: string, content: JsonObject) => daemon.client.artifact.put({ ticketId, artifact: { type, content } });
  return { ticketId, store };
}

test('an artifact that fits its schema is stored, and one of whose type nothing is known too', async () => {
  const { store } = await createTicket();

  expect(await store('test_coverage', { percentage: 80 })).toMatchObject({ version: 1 });
  expect(await store('anything', { percentage: 'high' })).toMatchObject({ version: 1 });
});

test('one that does not fit is refused with every fault and its place, and nothing is stored', async () => {
  const { ticketId, store } = await createTicket();

  const refused = store('test_coverage', { percentage: 101, lines: 5 });

  await expect(refused).rejects.toMatchObject({
    kind: 'artifact_invalid',
    data: {
      type: 'test_coverage',
      fields: expect.arrayContaining([
        { path: 'content.percentage', message: 'must be <= 100' },
        { path: 'content', message: 'must NOT have additional properties: lines' },
      ]) as unknown,
    },
  });
  expect((await daemon.client.artifact.list({ ticketId })).artifacts).toEqual([]);
});

test('a completion with an artifact that does not fit is refused, and the attempt can still be completed with one that does', async () => {
  const { ticketId } = await createTicket();
  const type = uniqueType();
  const agent = await daemon.connectAgent({ capabilities: [type] });
  await daemon.client.task.submit({ ticketId, tasks: [{ type }] });
  const claim = await agent.claimOne();
  const complete = (percentage: number) => agent.complete(claim, { artifacts: [{ type: 'test_coverage', content: { percentage } }] });

  await expect(complete(-1)).rejects.toMatchObject({ kind: 'artifact_invalid' });
  expect(await daemon.client.task.get({ taskId: claim.taskId })).toMatchObject({ state: 'running' });
  expect(await complete(90)).toMatchObject({ state: 'completed' });
});

test('a schema of draft-07 is read as that', async () => {
  const { store } = await createTicket({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', dependencies: { a: ['b'] } });

  await expect(store('test_coverage', { a: 1 })).rejects.toMatchObject({ kind: 'artifact_invalid' });
});

test('what is no schema is refused with the workflow', async () => {
  await expect(put({ type: 'percent' })).rejects.toMatchObject({
    kind: 'workflow_invalid',
    data: { fields: [{ path: 'definition.artifactTypes.test_coverage.schema' }] },
  });
});

test('a ticket keeps the schemas it began with', async () => {
  const { name } = await put(coverage);
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Begun early', workflow: { name } });
  await put({ type: 'object', required: ['lines'] }, name);

  const stored = await daemon.client.artifact.put({ ticketId, artifact: { type: 'test_coverage', content: { percentage: 80 } } });

  expect(stored).toMatchObject({ version: 1 });
});

test('a pattern that backtracks is refused with the workflow, at its place', async () => {
  const pattern = '^(?=.*x)';

  await expect(put({ properties: { name: { pattern } } })).rejects.toMatchObject({
    kind: 'workflow_invalid',
    data: {
      fields: [
        {
          path: 'definition.artifactTypes.test_coverage.schema.properties.name.pattern',
          message: expect.stringContaining(pattern) as string,
        },
      ],
    },
  });
});

test('what lies elsewhere cannot be checked, and is refused where its type has a schema', async () => {
  const { ticketId } = await createTicket();
  const elsewhere = { uri: 'file:///report.json', sha256: '0'.repeat(64) };

  const refused = daemon.client.artifact.put({ ticketId, artifact: { type: 'test_coverage', ...elsewhere } });

  await expect(refused).rejects.toMatchObject({
    kind: 'artifact_invalid',
    data: { fields: [{ path: 'uri', message: expect.stringContaining('give the content itself') as string }] },
  });
  expect(await daemon.client.artifact.put({ ticketId, artifact: { type: 'anything', ...elsewhere } })).toMatchObject({ version: 1 });
});

test('content that takes too long to check is refused, and the coordinator answers meanwhile', async () => {
  const nested = (depth: number): JsonObject => (depth === 0 ? {} : { a: nested(depth - 1) });
  const { store } = await createTicket({ properties: { a: { allOf: [{ $ref: '#' }, { $ref: '#' }] } } });
  const answers: string[] = [];

  const refused = store('test_coverage', nested(26)).catch((error: unknown) => {
    answers.push('the artifact');
    throw error;
  });
  const info = daemon.client.coordinator.info({}).then(() => answers.push('another call'));
  await Promise.allSettled([refused, info]);

  await expect(refused).rejects.toMatchObject({
    kind: 'artifact_invalid',
    message: expect.stringContaining('takes longer than') as string,
  });
  expect(answers).toEqual(['another call', 'the artifact']);
});
