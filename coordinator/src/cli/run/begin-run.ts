import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { type Client, CoordinatorError, type Ticket } from '@baton/protocol';
import { compilePlan } from '../plan/compile-plan.ts';
import type { Plan } from '../plan-schema.ts';
import { CommandError } from '../shell.ts';
import {
  describeChange,
  digestOf,
  findRunRecord,
  isUnderWay,
  recordFileOf,
  runFolderOf,
  type RunRecord,
  writeRunRecord,
} from './run-record.ts';
import { copyWorkspace } from './workspace.ts';

export interface RunSource {
  readonly plan: Plan;
  readonly text: string;
  /** Absolute. */
  readonly planFile: string;
  readonly dataDir: string;
  /** A folder of the user's own instead of the plan's. */
  readonly project: string | undefined;
}

export interface BegunRun {
  readonly recordFile: string;
  readonly record: RunRecord;
  /** The earlier run of this plan that is not finished, and is not gone on with. */
  readonly unfinished?: RunRecord | undefined;
}

/** Takes up the run of the record. */
export async function resumeRun({ plan, text, planFile, dataDir }: RunSource): Promise<BegunRun> {
  const recordFile = recordFileOf(dataDir, plan.name);
  const record = await findRunRecord(recordFile);
  if (record === undefined)
    throw new CommandError(
      `No run of ${plan.name} is known in ${dataDir}. Start one without --resume, or name its data folder with --data.`,
    );
  const change = describeChange(record, planFile, text);
  if (change !== undefined) throw new CommandError(change);
  refuseUnderWay(record, dataDir);
  return { recordFile, record: withoutOutcome(record) };
}

/** Copies the workspace and writes the record, in this order: a record says that the copy is whole. */
export async function beginRun(source: RunSource): Promise<BegunRun> {
  const { plan, text, planFile, dataDir } = source;
  const recordFile = recordFileOf(dataDir, plan.name);
  const earlier = await findRunRecord(recordFile);
  if (earlier !== undefined) refuseUnderWay(earlier, dataDir);
  const runId = randomUUID();
  const workspace = await makeWorkspace(source, join(runFolderOf(dataDir, runId), 'workspace'));
  const record: RunRecord = {
    runId,
    pid: process.pid,
    planFile,
    planSha256: digestOf(text),
    ...(workspace === undefined ? {} : { workspace }),
    startedAt: new Date().toISOString(),
  };
  await writeRunRecord(recordFile, record);
  const isUnfinished = earlier?.ticketId !== undefined && (earlier.outcome === undefined || earlier.outcome === 'interrupted');
  return { recordFile, record, unfinished: isUnfinished ? earlier : undefined };
}

function refuseUnderWay(record: RunRecord, dataDir: string): void {
  if (!isUnderWay(record)) return;
  throw new CommandError(
    `Run ${record.runId} of this plan is under way in process ${record.pid}. Wait for it or stop it, or keep this one in another data folder than ${dataDir} with --data.`,
  );
}

/** The run is under way again, in this process. */
const withoutOutcome = ({ outcome: _, ...record }: RunRecord): RunRecord => ({ ...record, pid: process.pid });

async function makeWorkspace({ plan, planFile, project }: RunSource, target: string): Promise<string | undefined> {
  const folder = project ?? (plan.workspace === undefined ? undefined : resolve(planFile, '..', plan.workspace.copy));
  if (folder === undefined) return undefined;
  const { include, exclude } = plan.workspace ?? {};
  await copyWorkspace({ folder: resolve(folder), include, exclude }, target);
  return target;
}

/** Makes the ticket of a run, or finds it again: repeated with the same record, this has one effect. */
export async function ensureTicket(
  client: Client,
  plan: Plan,
  { record, recordFile }: BegunRun,
): Promise<{ ticket: Ticket; record: RunRecord & { readonly ticketId: string } }> {
  if (record.ticketId !== undefined) {
    await writeRunRecord(recordFile, record);
    return { ticket: await getKnownTicket(client, record.ticketId, recordFile), record: { ...record, ticketId: record.ticketId } };
  }
  const definition = compilePlan(plan, record.workspace);
  const workflow = record.workflow ?? (await client.workflow.put({ definition }).then(({ name, version }) => ({ name, version })));
  // Its version is kept before it is used: with another one, the repeated creation would be another ticket.
  if (record.workflow === undefined) await writeRunRecord(recordFile, { ...record, workflow });

  const { title, description, priority, metadata } = plan.ticket;
  const ticket = await client.ticket.create({
    title,
    ...(description === undefined ? {} : { description }),
    priority,
    metadata,
    workflow,
    idempotencyKey: record.runId,
  });
  const known = { ...record, workflow, ticketId: ticket.id };
  await writeRunRecord(recordFile, known);
  return { ticket, record: known };
}

async function getKnownTicket(client: Client, ticketId: string, recordFile: string): Promise<Ticket> {
  try {
    return await client.ticket.get({ ticketId });
  } catch (error) {
    if (!(error instanceof CoordinatorError) || error.kind !== 'ticket_not_found') throw error;
    throw new CommandError(
      `This coordinator does not have the ticket ${ticketId} of the run in ${recordFile}. Was it another one? Start anew without --resume.`,
      { cause: error },
    );
  }
}

/** Ends an unfinished run that nobody will go on with: its tasks would be given to the agents of the new one. */
export async function setAside(client: Client, { ticketId }: RunRecord, newRunId: string): Promise<void> {
  if (ticketId === undefined) return;
  try {
    const { transitions } = await client.ticket.validTransitions({ ticketId });
    const to = transitions.find(({ kind }) => kind === 'block')?.to;
    if (to !== undefined)
      await client.ticket.transition({ ticketId, to, reason: `Set aside: run ${newRunId} of the same plan has begun.` });
  } catch (error) {
    // Another coordinator, or a ticket that has moved by itself: then there is nothing in our way.
    if (!(error instanceof CoordinatorError)) throw error;
  }
}
