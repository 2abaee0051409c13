import type { WorkflowDefinitionInput } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';

type Gate = WorkflowDefinitionInput['phases'][number]['gate'];

/** Stores a workflow whose first phase has this gate. */
const put = ({ client }: Daemon, gate: Gate) =>
  client.workflow.put({
    definition: {
      name: 'refused',
      phases: [{ name: 'WRITE', gate }, { name: 'DONE' }],
      edges: [{ from: 'WRITE', to: 'DONE', kind: 'forward' }],
    },
  });

const longEnough = { artifact: 'text', path: 'words', op: '>=', value: 300 } as const;

describe('where all plugins are enabled', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = await startDaemon();
  });
  afterAll(() => daemon.stop());

  test.each<[where: string, gate: Gate, path: string]>([
    ['of a gate', { artifacts: ['Code Changes'] }, 'definition.phases[0].gate.artifacts[0]'],
    ['of a criterion', { criteria: [{ ...longEnough, artifact: 'Text' }] }, 'definition.phases[0].gate.criteria[0].artifact'],
  ])('a type %s that no artifact can have is refused, with its field', async (_, gate, path) => {
    await expect(put(daemon, gate)).rejects.toMatchObject({
      kind: 'invalid_params',
      data: { fields: [{ path, message: expect.stringContaining('such as test_coverage') as string }] },
    });
  });

  const lookingAhead = { artifact: 'text', path: 'words', op: 'matches', value: '^(?!draft)' } as const;
  test.each<[where: string, gate: Gate, path: string]>([
    ['criteria', { criteria: [longEnough, lookingAhead] }, 'definition.phases[0].gate.criteria[1].value'],
    [
      'the configuration of a validator',
      { validators: [{ use: 'coverage' }, { use: 'criteria', config: { criteria: [lookingAhead] } }] },
      'definition.phases[0].gate.validators[1].config.criteria[0].value',
    ],
  ])('a pattern in %s that the validator could not read is refused, with its field', async (_, gate, path) => {
    await expect(put(daemon, gate)).rejects.toMatchObject({
      kind: 'workflow_invalid',
      data: { fields: [{ path, message: expect.stringContaining('Patterns are RE2') as string }] },
    });
  });

  test('a pattern is what RE2 takes it for, and not what JavaScript does', async () => {
    const { definition } = await put(daemon, { criteria: [{ ...lookingAhead, value: String.raw`(?i)\Adraft\z` }] });

    expect(definition.phases[0]?.gate?.criteria).toMatchObject([{ value: String.raw`(?i)\Adraft\z` }]);
  });

  test('a gate of a phase that no forward edge leaves is refused, with what to do', async () => {
    const stored = daemon.client.workflow.put({
      definition: {
        name: 'guarded end',
        phases: [{ name: 'WRITE' }, { name: 'DONE', gate: {} }],
        edges: [{ from: 'WRITE', to: 'DONE', kind: 'forward' }],
      },
    });

    await expect(stored).rejects.toMatchObject({
      kind: 'workflow_invalid',
      data: { fields: [{ path: 'definition.phases[1].gate', message: expect.stringContaining('give it to the phase before') as string }] },
    });
  });

  test('a workflow with thousands of mistakes is refused with the first, and how many there are', async () => {
    const tasks = Array.from({ length: 10_000 }, () => ({ type: 'write', dependsOn: ['nobody'.repeat(20)] }));
    const stored = daemon.client.workflow.put({
      definition: {
        name: 'mistaken',
        phases: [{ name: 'WRITE', tasks }, { name: 'DONE' }],
        edges: [{ from: 'WRITE', to: 'DONE', kind: 'forward' }],
      },
    });

    await expect(stored).rejects.toMatchObject({
      kind: 'workflow_invalid',
      message: expect.stringContaining('The first 50 of 10000 fields are named.') as string,
      data: { fields: Array.from({ length: 50 }, (_, index) => ({ path: `definition.phases[0].tasks[${index}].dependsOn[0]` })) },
    });
  });
});

describe('where no enabled plugin judges criteria', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = await startDaemon({ config: { plugins: ['@baton/plugin-command'] } });
  });
  afterAll(() => daemon.stop());

  test('a gate with criteria is refused, with its field and what is offered', async () => {
    await expect(put(daemon, { criteria: [longEnough] })).rejects.toMatchObject({
      kind: 'validator_unknown',
      data: {
        fields: [
          {
            path: 'definition.phases[0].gate.criteria',
            message: 'No enabled plugin offers the validator criteria. They offer command, exec.',
          },
        ],
      },
    });
  });

  test('every project has the built-in workflow all the same', async () => {
    await daemon.client.project.create({ name: 'another' });

    expect((await daemon.client.workflow.get({ name: 'software-delivery' })).version).toBe(1);
  });
});
