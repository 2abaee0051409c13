import type { ContextItem } from '@baton/protocol';
import { coveredKinds } from './check-summary.ts';

/** Whether a summary has to carry it. */
export const isDue = ({ kind }: Pick<ContextItem, 'kind'>): boolean => coveredKinds.includes(kind);

/** What must not be forgotten first: what is pinned, then what a summary has to carry; the newest of each. The items come oldest first. */
export const byNeed = (items: readonly ContextItem[]): ContextItem[] =>
  items.toReversed().sort((a, b) => Number(b.pinned) - Number(a.pinned) || Number(isDue(b)) - Number(isDue(a)));
