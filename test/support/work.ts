import { type Client, CoordinatorError, type NewArtifactInput, type NewTaskInput, type Ticket } from '@baton/protocol';
import type { Daemon } from './daemon.ts';
import type { TestAgent } from './test-agent.ts';

/** The way that a ticket of the built-in workflow takes when all goes well. */
export const mainLine = ['BACKLOG', 'REQUIREMENTS', 'DESIGN', 'IMPLEMENTATION', 'TESTING', 'DEPLOYMENT', 'DONE'] as const;

/** A ticket of the workflow `software-delivery` in a phase, taken there past all gates. */
export async function createTicketIn(client: Client, phase: string): Promise<Ticket> {
  const ticket = await client.ticket.create({ title: `A ticket in ${phase}` });
  const way = phase === 'BLOCKED' ? ['BLOCKED'] : mainLine.slice(1, mainLine.indexOf(phase as (typeof mainLine)[number]) + 1);
  let moved = ticket;
  for (const to of way)
    moved = (await client.ticket.transition({ ticketId: ticket.id, to, force: true, reason: 'The test begins there.' })).ticket;
  return moved;
}

let count = 0;

/** A task type that no other test uses, so that nobody else's agent takes the task. */
export const uniqueType = (): string => `type-${process.pid}-${(count += 1)}`;

export interface Bench {
  readonly ticket: Ticket;
  /** The task type that only this agent does. */
  readonly type: string;
  readonly agent: TestAgent;
  /** Submits tasks of this type, and answers their ids by reference, or by position where they have none. */
  submit(...tasks: readonly Omit<NewTaskInput, 'type'>[]): Promise<readonly string[]>;
}

/** A ticket, and an agent that alone does what is submitted to it. */
export async function setUpBench(daemon: Daemon, { phase = 'REQUIREMENTS', capacity = 10 } = {}): Promise<Bench> {
  const type = uniqueType();
  const ticket = await createTicketIn(daemon.client, phase);
  const agent = await daemon.connectAgent({ capabilities: [type], capacity });
  const submit = async (...tasks: readonly Omit<NewTaskInput, 'type'>[]) => {
    const submitted = await daemon.client.task.submit({ ticketId: ticket.id, tasks: tasks.map((task) => ({ type, ...task })) });
    return submitted.tasks.map(({ id }) => id);
  };
  return { ticket, type, agent, submit };
}

/** Evidence that satisfies the gate of REQUIREMENTS, unless it is too short. */
export const requirementsDocument = (length: number, overrides: Partial<NewArtifactInput> = {}): NewArtifactInput => ({
  type: 'requirements_document',
  name: 'docs/requirements.md',
  content: { length, sections: ['scope', 'acceptance_criteria'] },
  ...overrides,
});

/** One task, done, with these artifacts. */
export async function completeTaskWith({ agent, submit }: Bench, ...artifacts: readonly NewArtifactInput[]): Promise<string> {
  const [taskId] = await submit({ title: 'Produce the evidence' });
  const claim = await agent.claimOne();
  await agent.complete(claim, { artifacts: [...artifacts] });
  return taskId!;
}

/** The kind of the error that a call is refused with, or `accepted`. */
export async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'accepted';
  } catch (error) {
    if (error instanceof CoordinatorError) return error.kind;
    throw error;
  }
}
