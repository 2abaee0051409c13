import { createHash } from 'node:crypto';
import type { ArtifactWithContent, ContextItem, JsonValue } from '@baton/protocol';
import type { GateFacts } from '../plugin/index.ts';

const at = '2026-01-01T00:00:00.000Z';
const ticketId = '0197f000-0000-7000-8000-000000000001';
const visit = { phase: 'IMPLEMENTATION', visit: 1 };

/** An artifact of a type, with what else is not said. */
export function makeArtifact(
  given: Partial<ArtifactWithContent> & { readonly type: string; readonly content?: JsonValue },
  index = 0,
): ArtifactWithContent {
  const text = JSON.stringify(given.content ?? null);
  return {
    ...visit,
    id: `0197f000-0000-7000-8000-0000000001${String(index).padStart(2, '0')}`,
    ticketId,
    name: 'default',
    version: 1,
    mediaType: 'application/json',
    sha256: createHash('sha256').update(text).digest('hex'),
    sizeBytes: Buffer.byteLength(text),
    author: 'author',
    createdAt: at,
    // Each author with a token of his own, unless it is said otherwise.
    token: given.author ?? 'author',
    ...given,
  };
}

/** What is known about a phase visit in which nothing was done yet. */
export const makeFacts = (given: Partial<GateFacts> = {}): GateFacts => ({
  ...visit,
  ticket: {
    ...visit,
    id: ticketId,
    title: 'A ticket of a test',
    priority: 'MEDIUM',
    workflow: { name: 'software-delivery', version: 1 },
    state: 'open',
    metadata: {},
    createdAt: at,
    updatedAt: at,
    version: 1,
  },
  tasks: [],
  attempts: [],
  replaced: [],
  ...given,
});

/** A statement of a phase, a decision unless it says otherwise. */
export const makeItem = (given: Partial<ContextItem> & Pick<ContextItem, 'text'>, index = 0): ContextItem => ({
  ...visit,
  id: `0197f000-0000-7000-8000-0000000002${String(index).padStart(2, '0')}`,
  citation: `c:${index + 1}`,
  ticketId,
  kind: 'decision',
  source: 'said',
  references: [],
  pinned: false,
  author: 'author',
  createdAt: at,
  ...given,
});
