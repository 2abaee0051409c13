/** The phases in which the team takes notes; whoever asks is in the next. */
export const notedPhases = ['BACKLOG', 'REQUIREMENTS', 'DESIGN', 'IMPLEMENTATION', 'TESTING'] as const;
export const readerPhase = 'DEPLOYMENT';

export interface Needle {
  readonly kind: 'constraint' | 'number';
  readonly text: string;
  /** As somebody asks who has not read it: some in its words, some in others. */
  readonly question: string;
}

/** What a later phase will want to know: ten constraints and ten numbers, two of each for every phase. */
export const needles: readonly Needle[] = [
  {
    kind: 'constraint',
    text: 'A card number must never be written to a log, not even masked.',
    question: 'May we print the request of a failed payment with its card number?',
  },
  {
    kind: 'constraint',
    text: 'Everything that is stored about buyers stays on machines inside the European Union.',
    question: 'Can the backup of customer records go to a region in America?',
  },
  { kind: 'number', text: 'Merchants are paid out 7 days after the sale.', question: 'After how many days is a merchant paid out?' },
  { kind: 'number', text: 'The largest payment that has to work is 250,000 euros.', question: 'How big an amount must go through?' },

  {
    kind: 'constraint',
    text: 'A webhook is delivered at least once, and receivers are told to expect it twice.',
    question: 'Does a receiver have to cope with the same webhook coming again?',
  },
  {
    kind: 'constraint',
    text: 'A refund can be undone by a person of the finance team only.',
    question: 'Who is allowed to reverse a refund?',
  },
  {
    kind: 'number',
    text: 'The checkout answers within 300 ms for 99 of 100 buyers.',
    question: 'What is the latency that the checkout has to keep?',
  },
  {
    kind: 'number',
    text: 'A session of the merchant portal ends after 20 minutes without a click.',
    question: 'When is an idle user of the portal signed out?',
  },

  {
    kind: 'constraint',
    text: 'Amounts are integers in the smallest unit of the currency, never floating point.',
    question: 'Which type does a field for money have?',
  },
  {
    kind: 'constraint',
    text: 'The ledger is append-only: a correction is a second entry, never an update.',
    question: 'How do we fix a wrong entry in the ledger?',
  },
  {
    kind: 'number',
    text: 'The retry queue holds 40,000 webhooks before new ones are refused.',
    question: 'How many webhooks fit into the retry queue?',
  },
  { kind: 'number', text: 'Exchange rates are taken over every 15 minutes.', question: 'How old can a currency conversion be?' },

  {
    kind: 'constraint',
    text: 'The signing key of webhooks is rotated without a restart; both keys are valid meanwhile.',
    question: 'Do we need downtime to change the secret that signs webhooks?',
  },
  {
    kind: 'constraint',
    text: 'No migration may lock the payments table for longer than a heartbeat.',
    question: 'May a schema change take an exclusive lock on payments?',
  },
  {
    kind: 'number',
    text: 'The connection pool of the ledger is 32; with more the database stalls.',
    question: 'What size does the connection pool of the ledger have?',
  },
  {
    kind: 'number',
    text: 'A delivery is given up after 12 attempts over three days.',
    question: 'How often is a webhook retried before we stop?',
  },

  {
    kind: 'constraint',
    text: 'The sandbox of the bank is down every night from two to three; tests must not run then.',
    question: 'Is there a time at which the tests against the bank fail?',
  },
  {
    kind: 'constraint',
    text: 'Old clients of version 3 send no currency; they mean euros, and this has to keep working.',
    question: 'What do we do with requests that leave out the currency?',
  },
  {
    kind: 'number',
    text: 'Under load the matcher uses 1.8 GB of memory at most.',
    question: 'How much RAM does a container of the matcher need?',
  },
  {
    kind: 'number',
    text: 'The nightly reconciliation takes 47 minutes for a month of sales.',
    question: 'How long does the reconciliation run at night?',
  },
];
