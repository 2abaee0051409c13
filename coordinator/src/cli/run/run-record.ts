import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { CommandError } from '../shell.ts';

export const runOutcomes = ['done', 'blocked', 'failed', 'interrupted'] as const;
export type RunOutcome = (typeof runOutcomes)[number];

/** What must be known to go on with a run after its process was killed. Written before the ticket is created. */
const runRecord = z.strictObject({
  /** The idempotency key of the ticket, and the name of the run's folder. */
  runId: z.uuid(),
  /** The process that carries it out, or did. */
  pid: z.int(),
  planFile: z.string(),
  planSha256: z.string(),
  /** The folder that the agents work in. */
  workspace: z.string().optional(),
  startedAt: z.iso.datetime(),
  /** The plan as the coordinator has it; absent where the process ended before it was stored. */
  workflow: z.strictObject({ name: z.string(), version: z.int() }).optional(),
  ticketId: z.uuid().optional(),
  /** How the run ended; absent while it has not. */
  outcome: z.enum(runOutcomes).optional(),
});
export type RunRecord = z.infer<typeof runRecord>;

/** One record for a plan's name: that of its newest run. */
export const recordFileOf = (dataDir: string, planName: string): string => join(dataDir, 'runs', `${encodeURIComponent(planName)}.json`);

export const runFolderOf = (dataDir: string, runId: string): string => join(dataDir, 'runs', runId);

export async function findRunRecord(file: string): Promise<RunRecord | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return runRecord.parse(JSON.parse(text));
  } catch (cause) {
    throw new CommandError(`${file} cannot be understood as the record of a run. Remove it to start anew.`, { cause });
  }
}

/** Whether the process of a run that has not ended lives: nobody else may go on with it, or set it aside. */
export function isUnderWay({ pid, outcome }: RunRecord): boolean {
  if (outcome !== undefined || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Replaces the record in one step: whoever reads it sees the old one or the new one. */
export async function writeRunRecord(file: string, record: RunRecord): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(runRecord.parse(record), undefined, 2)}\n`);
  await rename(draft, file);
}

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The run goes on only with what it began with: another plan would have other tasks. */
export const describeChange = (record: RunRecord, planFile: string, text: string): string | undefined =>
  record.planSha256 === digestOf(text)
    ? undefined
    : `${planFile} was changed since run ${record.runId} began, so that run cannot go on. Undo the change, or start anew without --resume.`;
