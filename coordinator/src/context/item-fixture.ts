import type { ContextItem, ContextKind } from '@baton/protocol';

/** An item of a ticket, for tests of the pure rules. */
export const itemOf = (number: number, kind: ContextKind, text: string, more: Partial<ContextItem> = {}): ContextItem => ({
  id: `item ${number}`,
  citation: `c:${number}`,
  ticketId: 'ticket',
  phase: 'DESIGN',
  visit: 1,
  kind,
  text,
  references: [],
  pinned: false,
  author: 'ada',
  createdAt: '',
  source: 'said',
  ...more,
});
