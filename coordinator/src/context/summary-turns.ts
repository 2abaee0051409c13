/** Work that waits for its turn. Tickets take turns, and of a phase only the newest work waits. */
export interface SummaryTurns<Work> {
  /** Puts work in line, in the place of what waits for the same phase, which is returned. */
  put(work: Work): Work | undefined;
  /** Of the ticket whose last turn is longest ago, the phase that has waited longest. */
  take(): Work | undefined;
  /** How much waits. */
  readonly size: number;
}

export function createSummaryTurns<Work extends { readonly ticketId: string; readonly phase: string }>(): SummaryTurns<Work> {
  // A map keeps the order in which its keys came: the first ticket is the next.
  const tickets = new Map<string, Map<string, Work>>();
  let size = 0;

  return {
    get size() {
      return size;
    },
    put(work) {
      const phases = tickets.get(work.ticketId) ?? new Map<string, Work>();
      const older = phases.get(work.phase);
      phases.set(work.phase, work);
      tickets.set(work.ticketId, phases);
      if (older === undefined) size += 1;
      return older;
    },
    take() {
      const [ticketId, phases] = tickets.entries().next().value ?? [];
      const [phase, work] = phases?.entries().next().value ?? [];
      if (ticketId === undefined || phases === undefined || phase === undefined) return undefined;
      phases.delete(phase);
      tickets.delete(ticketId);
      if (phases.size > 0) tickets.set(ticketId, phases);
      size -= 1;
      return work;
    },
  };
}
