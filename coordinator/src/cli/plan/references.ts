import type { TaskTemplate } from '@baton/protocol';
import { isLiteral, parseReference, referenceForms } from '../../task/references.ts';
import type { Path } from '../yaml/yaml-document.ts';

/** What a `{{ … }}` in a template means. `text` is as it stands in the plan. */
export type Reference = { readonly text: string } & (
  | { readonly kind: 'task'; readonly ref: string }
  | { readonly kind: 'phase task'; readonly phase: string; readonly ref: string }
  | { readonly kind: 'value' }
  /** `hint` ends a sentence that begins with the text. */
  | { readonly kind: 'unknown'; readonly hint: string }
);

/** Every reference of a template with its place. */
export const findReferences = ({ title, input }: Pick<TaskTemplate, 'title' | 'input'>): { path: Path; reference: Reference }[] =>
  [...stringsOf(input, ['input']), ...stringsOf(title, ['title'])].flatMap(({ path, text }) =>
    [...text.matchAll(/\{\{\s*(.*?)\s*\}\}/g)].map(([whole, expression = '']) => ({
      path,
      reference: toReference(whole, expression, path[0] === 'title'),
    })),
  );

/** All strings within a value, with their places; what a literal holds is nobody's reference. */
export function stringsOf(value: unknown, path: Path): { path: Path; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => stringsOf(item, [...path, index]));
  if (typeof value !== 'object' || value === null || isLiteral(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => stringsOf(item, [...path, key]));
}

/** The value with every `{{ workspace }}` in its strings replaced by the folder. */
export function withWorkspace<T>(value: T, folder: string): T {
  if (typeof value === 'string') return value.replaceAll(/\{\{\s*workspace\s*\}\}/g, () => folder) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => withWorkspace(item, folder)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withWorkspace<unknown>(item, folder)])) as T;
}

function toReference(text: string, expression: string, isTitle: boolean): Reference {
  // Filled in by `baton run` itself, before the coordinator sees the plan.
  if (expression === 'workspace') return { text, kind: 'value' };
  const reference = parseReference(expression);
  if (reference === undefined) return { text, kind: 'unknown', hint: hintFor(expression) };
  if (isTitle && reference.kind !== 'ticket' && reference.kind !== 'visit') {
    return { text, kind: 'unknown', hint: 'is not known when the task is made; a title may name ticket.… and visit.… only' };
  }
  if (reference.kind !== 'task') return { text, kind: 'value' };
  const { phase, ref } = reference;
  return phase === undefined ? { text, kind: 'task', ref } : { text, kind: 'phase task', phase, ref };
}

const hintFor = (expression: string): string =>
  /^(phases\.[^.]+\.)?tasks\./.test(expression)
    ? 'does not say what it takes of the task: write `.output` after the reference'
    : `is not a reference; a reference is one of ${referenceForms}, workspace`;
