import type { z } from 'zod';
import { findNearest } from '../yaml/nearest.ts';

/** What can be understood of an object of which not everything has the right shape. */
export interface Salvaged<T> {
  /** The object without what does not fit; undefined where it is nothing without that. */
  readonly data: T | undefined;
  /** The fields of which it is not known what they should say: they do not fit, or were probably meant by a name that does not exist. */
  readonly unsure: ReadonlySet<string>;
}

/** Leaves out the fields that do not fit, so that a mistake in one of them does not hide mistakes in others. */
export function salvage<Schema extends z.ZodObject>(schema: Schema, given: unknown): Salvaged<z.output<Schema>> {
  const whole = schema.safeParse(given);
  if (whole.success) return { data: whole.data, unsure: new Set() };
  const wrong = whole.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : issue.path.slice(0, 1).map(String),
  );
  const rest = Object.fromEntries(Object.entries(asRecord(given)).filter(([key]) => !wrong.includes(key)));
  return { data: schema.safeParse(rest).data, unsure: meantBy(wrong, Object.keys(schema.shape)) };
}

/** Which of the known fields these names stand for. */
export const meantBy = (names: readonly string[], known: readonly string[]): ReadonlySet<string> =>
  new Set(names.flatMap((name) => (known.includes(name) ? name : (findNearest(name, known) ?? []))));

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const asRecord = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {});
export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
