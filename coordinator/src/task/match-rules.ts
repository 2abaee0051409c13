/** An agent that waits for work, with the slots it still has. */
export interface Seeker {
  readonly sessionId: string;
  readonly agentId: string;
  readonly agentName: string;
  readonly capabilities: ReadonlySet<string>;
  readonly capacity: number;
  free: number;
  /** How much of the free slots this call asks for. */
  wanted: number;
}

export interface Offer {
  readonly capabilities: readonly string[];
}

/**
 * The agent that fits a task best among those that wait: of those that offer all it needs, the one with the fewest
 * capabilities to spare, then the one with the largest share of its slots free, then by id. Specialists come first, so that
 * who can do everything stays free for what nobody else can.
 */
export function bestSeeker(seekers: readonly Seeker[], { capabilities }: Offer): Seeker | undefined {
  let best: Seeker | undefined;
  for (const seeker of seekers) {
    if (seeker.free <= 0 || seeker.wanted <= 0 || !capabilities.every((capability) => seeker.capabilities.has(capability))) continue;
    if (best === undefined || isBetter(seeker, best)) best = seeker;
  }
  return best;
}

function isBetter(a: Seeker, b: Seeker): boolean {
  if (a.capabilities.size !== b.capabilities.size) return a.capabilities.size < b.capabilities.size;
  const shareA = a.free / a.capacity;
  const shareB = b.free / b.capacity;
  return shareA === shareB ? a.agentId < b.agentId : shareA > shareB;
}
