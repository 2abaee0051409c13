import { createHash } from 'node:crypto';

/** How the topics of what a gate found begin. */
export const gateTopics = 'gate:';

/** What a recorded item is about. Names may be long and of many bytes, and a database takes few in an index. */
export const topicOf = (
  what: 'artifact' | 'files' | 'commands' | 'tests' | 'approval' | 'gate',
  ...names: readonly (string | null)[]
): string => `${what}:${createHash('sha256').update(JSON.stringify(names)).digest('hex')}`;
