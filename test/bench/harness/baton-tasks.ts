import { createTicketIn } from '../../support/work.ts';
import type { Place } from './place.ts';

/** The most tasks that one call may submit. */
const submitMax = 10_000;

/**
 * A ticket to submit tasks to. A task that nobody can do keeps its phase from ending, so that no gate is asked while
 * something is measured.
 */
export async function openTicket({ client }: Pick<Place, 'client'>): Promise<string> {
  const { id } = await createTicketIn(client, 'REQUIREMENTS');
  await client.task.submit({ ticketId: id, tasks: [{ type: 'bench-nobody' }] });
  return id;
}

/** Submits so many tasks of a type, in as few calls as may be. */
export async function enqueueTasks({ client }: Pick<Place, 'client'>, ticketId: string, type: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= submitMax)
    await client.task.submit({ ticketId, tasks: Array.from({ length: Math.min(left, submitMax) }, () => ({ type })) });
}
