import { type Criterion, cutText, type JsonValue } from '@baton/sdk/plugin';

/** A value as a person can read it in a message, cut where it is long. */
export function describe(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length <= 200 ? text : `${cutText(text, 199)}…`;
}

export function describeWanted({ op, value }: Pick<Criterion, 'op' | 'value'>): string {
  if (op === 'exists') return value === false ? 'not to be there' : 'to be there';
  const names = { contains: 'to contain', containsAll: 'to contain all of', matches: 'to match' } as const;
  const verb = op in names ? names[op as keyof typeof names] : op;
  return value === undefined ? verb : `${verb} ${describe(value)}`;
}
