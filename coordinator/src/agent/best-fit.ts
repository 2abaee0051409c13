import type { Agent, FoundAgent } from '@baton/protocol';

/** All that keeps an agent that a search has found from beginning with a task at once, as sentences; none if nothing does. */
export function reasonsAgainst({ agent, missing }: Pick<FoundAgent, 'agent' | 'missing'>): string[] {
  const lacking = missing.length === 0 ? [] : [`It does not offer ${missing.join(', ')}.`];
  const hindrance = hindranceOf(agent);
  return hindrance === undefined ? lacking : [...lacking, hindrance];
}

function hindranceOf({ status, capacity, stateReason = 'Nobody said why.' }: Agent): string | undefined {
  switch (status) {
    case 'idle':
    case 'working':
      return undefined;
    case 'busy':
      return capacity === 1 ? 'Its one slot is taken.' : `All ${capacity} of its slots are taken.`;
    case 'unavailable':
      return 'It takes nothing new for now.';
    case 'draining':
      return 'It is about to leave.';
    case 'lost':
      return 'It is not there: no session of its has a lease.';
    case 'maintenance':
      return `It is in maintenance. ${stateReason}`;
    case 'quarantined':
      return `It is in quarantine. ${stateReason}`;
    case 'terminated':
      return `It was terminated. ${stateReason}`;
  }
}
