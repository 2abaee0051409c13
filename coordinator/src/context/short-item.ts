import type { ContextItem } from '@baton/protocol';
import { clip } from './clip.ts';
import { reasonsMax } from './pack-sections.ts';

/** An answer that tells of many items has so many references of each, the newest, and so many characters of a reference. */
const referencesMax = 5;
const referenceCharactersMax = 200;

/**
 * An item with as much of its reasons as a line shows and its newest references, so that what tells of many items is not longer by far than
 * their texts. `context/expand` tells all.
 */
export function shortenItem({ rationale, references, ...item }: ContextItem): ContextItem {
  const newest = references.slice(-referencesMax);
  return {
    ...item,
    references: newest.map((each) => ({ ...each, value: clip(each.value, referenceCharactersMax) })),
    ...(rationale !== undefined && { rationale: clip(rationale, reasonsMax) }),
  };
}
