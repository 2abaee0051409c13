import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeChange, digestOf, findRunRecord, recordFileOf, type RunRecord, writeRunRecord } from './run-record.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'baton-record-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

const record: RunRecord = {
  runId: crypto.randomUUID(),
  pid: process.pid,
  planFile: '/plans/plan.yaml',
  planSha256: digestOf('name: a'),
  startedAt: '2026-01-01T00:00:00.000Z',
};

test('a record is found again, whatever characters the name of its plan has, and leaves no draft', async () => {
  const file = recordFileOf(dataDir, 'team/a: release @2');

  await writeRunRecord(file, record);

  expect(await findRunRecord(file)).toEqual(record);
  expect(await readdir(join(dataDir, 'runs'))).toEqual(['team%2Fa%3A%20release%20%402.json']);
});

test('there is no record of a plan that has not run', async () =>
  expect(await findRunRecord(recordFileOf(dataDir, 'none'))).toBeUndefined());

test('a plan that was changed cannot be gone on with, and the way out is named', () => {
  expect(describeChange(record, 'plan.yaml', 'name: a')).toBeUndefined();
  expect(describeChange(record, 'plan.yaml', 'name: b')).toBe(
    `plan.yaml was changed since run ${record.runId} began, so that run cannot go on. Undo the change, or start anew without --resume.`,
  );
});
