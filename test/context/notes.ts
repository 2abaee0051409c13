import type { ContextKind, NewContextItemInput } from '@baton/protocol';
import { needles, notedPhases } from './needles.ts';
import { createRandom } from './random.ts';

export interface Note {
  readonly phase: (typeof notedPhases)[number];
  readonly item: NewContextItemInput;
}

const notesPerPhase = 40;

/** How often a note that is no needle is of a kind. */
const kinds: readonly ContextKind[] = ['fact', 'fact', 'fact', 'fact', 'decision', 'decision', 'decision', 'rejected', 'risk', 'question'];

const parts = [
  'the webhook sender',
  'the ledger',
  'the checkout',
  'the merchant portal',
  'the matcher',
  'the payout job',
  'the refund form',
  'the retry queue',
  'the currency service',
  'the reconciliation',
  'the audit log',
  'the bank adapter',
  'the invoice mailer',
  'the payments table',
  'the signing module',
];
const deeds = [
  'reads its settings from the same file as',
  'was split from',
  'shares a library with',
  'waits for',
  'is deployed together with',
  'is tested apart from',
  'calls',
  'hands its errors to',
  'keeps its metrics beside those of',
  'takes its schema from',
  'is owned by the team of',
  'was reviewed after',
];
const circumstances = [
  'in the first release',
  'since the last migration',
  'while a merchant signs up',
  'on the day of the sale',
  'when a buyer cancels',
  'at the end of a month',
  'before a payment is confirmed',
  'after a failed delivery',
  'for buyers outside the country',
  'in the sandbox',
  'under load',
  'during a key rotation',
  'if the network is slow',
  'as the support team wished',
  'until the next audit',
];
const endings = [
  'Nobody objected.',
  'It took two days.',
  'The details are in the ticket.',
  'Ada will look at it again.',
  'We saw 3 errors of this kind last week.',
  'It is covered by a test.',
  'The customer knows.',
  'It may change later.',
  'There were 12 comments in the review.',
  'Support was told.',
  '',
  '',
  '',
];

/**
 * 200 notes over five phases in the order in which they are taken: in each phase 4 needles among 36 others that speak of the
 * same things in the same words. The same for the same seed.
 */
export function writeNotes(seed: number): Note[] {
  const random = createRandom(seed);
  const pick = <Value>(list: readonly Value[]): Value => list[Math.floor(random() * list.length)]!;
  const said = new Set<string>();

  const writeOther = (): NewContextItemInput => {
    const text = `${pick(parts)} ${pick(deeds)} ${pick(parts)} ${pick(circumstances)}. ${pick(endings)}`.trim();
    if (said.has(text)) return writeOther();
    said.add(text);
    return { kind: pick(kinds), text: text.charAt(0).toUpperCase() + text.slice(1) };
  };

  return notedPhases.flatMap((phase, index) => {
    const own = needles.slice(index * 4, index * 4 + 4).map(({ kind, text }): NewContextItemInput => ({ kind, text }));
    const others = Array.from({ length: notesPerPhase - own.length }, writeOther);
    const mixed = [...own, ...others].map((item) => ({ item, key: random() })).sort((a, b) => a.key - b.key);
    return mixed.map(({ item }) => ({ phase, item }));
  });
}
