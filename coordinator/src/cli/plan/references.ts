import type { TaskTemplate } from '@baton/protocol';
import type { Path } from './plan-document.ts';

/** What a `{{ … }}` in a template means. `text` is as it stands in the plan. */
export type Reference = { readonly text: string } & (
  | { readonly kind: 'task'; readonly ref: string }
  | { readonly kind: 'phase task'; readonly phase: string; readonly ref: string }
  | { readonly kind: 'value' }
  /** `hint` ends a sentence that begins with the text. */
  | { readonly kind: 'unknown'; readonly hint: string }
);

/** Every reference of a template with its place. `refs` are the tasks that may be meant: a reference may hold dots itself. */
export const findReferences = ({ title, input }: TaskTemplate, refs: readonly string[]): { path: Path; reference: Reference }[] =>
  [...stringsOf(input, ['input']), ...stringsOf(title, ['title'])].flatMap(({ path, text }) =>
    [...text.matchAll(/\{\{\s*(.*?)\s*\}\}/g)].map(([whole, expression = '']) => ({
      path,
      reference: parseReference(whole, expression, refs),
    })),
  );

/** All strings within a value, with their places. */
export function stringsOf(value: unknown, path: Path): { path: Path; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => stringsOf(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => stringsOf(item, [...path, key]));
}

/** The value with every `{{ workspace }}` in its strings replaced by the folder. */
export function withWorkspace<T>(value: T, folder: string): T {
  if (typeof value === 'string') return value.replaceAll(/\{\{\s*workspace\s*\}\}/g, () => folder) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => withWorkspace(item, folder)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withWorkspace<unknown>(item, folder)])) as T;
}

const values = [
  /^ticket\.(id|title|description|metadata(\..+)?)$/,
  /^visit\.(number|reason)$/,
  /^gate\.reasons$/,
  /^context$/,
  /^workspace$/,
];
const forms =
  'tasks.REF.output…, phases.PHASE.tasks.REF.output…, ticket.title, ticket.description, ticket.id, ticket.metadata…, visit.number, visit.reason, gate.reasons, context, workspace';

function parseReference(text: string, expression: string, refs: readonly string[]): Reference {
  if (values.some((form) => form.test(expression))) return { text, kind: 'value' };
  const [, phase, rest] = /^(?:phases\.([^.]+)\.)?tasks\.(.+)$/.exec(expression) ?? [];
  if (rest === undefined) return { text, kind: 'unknown', hint: `is not a reference; a reference is one of ${forms}` };
  const ref = refIn(rest, phase === undefined ? refs : []);
  if (ref === undefined)
    return { text, kind: 'unknown', hint: 'does not say what it takes of the task: write `.output` after the reference' };
  return phase === undefined ? { text, kind: 'task', ref } : { text, kind: 'phase task', phase, ref };
}

/** `a.b.output.c` is task `a.b` if there is one, else what stands before the first `.output`. */
function refIn(rest: string, refs: readonly string[]): string | undefined {
  const known = refs
    .filter((ref) => rest === `${ref}.output` || rest.startsWith(`${ref}.output.`))
    .toSorted((a, b) => b.length - a.length)[0];
  return known ?? /^(.+?)\.output(?:\.|$)/.exec(rest)?.[1];
}
