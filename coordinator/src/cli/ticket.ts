import type { Client, JsonObject, Priority, Ticket } from '@baton/protocol';
import type { ReadOptions } from './list.ts';
import { printLine, type Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

export interface TicketCreateOptions extends ReadOptions {
  readonly description?: string;
  readonly priority?: Priority;
  readonly workflow?: string;
  readonly metadata?: JsonObject;
}

/** `baton ticket create`: a ticket in the first phase of a workflow. */
export function createTicket(shell: Shell, title: string, options: TicketCreateOptions): Promise<number> {
  const { description, priority, workflow, metadata } = options;
  return change(shell, options, (client) =>
    client.ticket.create({
      title,
      ...(description !== undefined && { description }),
      ...(priority !== undefined && { priority }),
      ...(workflow !== undefined && { workflow: { name: workflow } }),
      ...(metadata !== undefined && { metadata }),
    }),
  );
}

export interface TicketMoveOptions extends ReadOptions {
  readonly reason?: string;
  readonly force?: boolean;
  readonly visit?: number;
}

/** `baton ticket move`: along an edge of its workflow. */
export function moveTicket(shell: Shell, [ticketId, to]: readonly [string, string], options: TicketMoveOptions): Promise<number> {
  const { reason, force = false, visit } = options;
  return change(
    shell,
    options,
    async (client) =>
      (
        await client.ticket.transition({
          ticketId,
          to,
          force,
          ...(reason !== undefined && { reason }),
          ...(visit !== undefined && { visit }),
        })
      ).ticket,
  );
}

export interface ReasonOptions extends ReadOptions {
  readonly reason: string;
}

/** `baton ticket block`: to where blocked tickets wait. */
export const blockTicket = (shell: Shell, ticketId: string, options: ReasonOptions): Promise<number> =>
  change(shell, options, async (client) => (await client.ticket.block({ ticketId, reason: options.reason })).ticket);

/** `baton ticket unblock`: back to the phase it was blocked in. */
export const unblockTicket = (shell: Shell, ticketId: string, options: ReadOptions & { readonly reason?: string }): Promise<number> =>
  change(
    shell,
    options,
    async (client) => (await client.ticket.unblock({ ticketId, ...(options.reason !== undefined && { reason: options.reason }) })).ticket,
  );

/** `baton ticket cancel`: for good. */
export const cancelTicket = (shell: Shell, ticketId: string, options: ReasonOptions): Promise<number> =>
  change(shell, options, (client) => client.ticket.cancel({ ticketId, reason: options.reason }));

async function change(shell: Shell, { json = false, ...options }: ReadOptions, make: (client: Client) => Promise<Ticket>): Promise<number> {
  const ticket = await ask(await findTarget(options, shell.env), make);
  printLine(shell.stdout, json ? JSON.stringify(ticket) : `${ticket.id} «${ticket.title}» is in ${ticket.phase}, ${ticket.state}.`);
  return 0;
}
