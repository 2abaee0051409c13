import { CoordinatorError, type JsonObject, type JsonValue, taskTitleMax } from '@baton/protocol';
import { clip } from '../context/clip.ts';

/** What `{{ … }}` in a task's input may name. */
export type Reference =
  | {
      readonly kind: 'task';
      readonly phase: string | undefined;
      readonly ref: string;
      readonly field: 'output' | 'summary';
      readonly path: readonly string[];
    }
  | { readonly kind: 'ticket' | 'visit' | 'gate'; readonly path: readonly string[] }
  | { readonly kind: 'context' };

const marks = /\{\{\s*([^{}]+?)\s*\}\}/g;
const taskForm = /^(?:phases\.([A-Z][A-Z0-9_]*)\.)?tasks\.(.+?)\.(output|summary)(?:\.(.+))?$/;

/** Understands one reference; undefined where it is none. */
export function parseReference(text: string): Reference | undefined {
  const [, phase, ref, field, path] = taskForm.exec(text) ?? [];
  if (ref !== undefined)
    return { kind: 'task', phase, ref, field: field === 'summary' ? 'summary' : 'output', path: path?.split('.') ?? [] };
  if (text === 'context') return { kind: 'context' };
  const [kind = '', ...names] = text.split('.');
  return isFactKind(kind) && (facts[kind] as readonly string[]).includes(names[0] ?? '') ? { kind, path: names } : undefined;
}

/** What can be named of a ticket, of the visit a task belongs to, and of the newest gate result. */
const facts = {
  ticket: ['id', 'title', 'description', 'priority', 'metadata'],
  visit: ['number', 'phase', 'reason'],
  gate: ['outcome', 'reasons', 'verdicts'],
} as const;

const isFactKind = (kind: string): kind is keyof typeof facts => Object.hasOwn(facts, kind);

/** All forms, for the messages that say what is not one. */
export const referenceForms = [
  'tasks.REF.output…',
  'tasks.REF.summary',
  'phases.PHASE.tasks.REF.output…',
  ...Object.entries(facts).flatMap(([kind, names]) => names.map((name) => `${kind}.${name}`)),
  'context',
].join(', ');

/** The texts of all references in an input, wherever they stand. */
export function listReferences(value: JsonValue): string[] {
  if (typeof value === 'string') return [...value.matchAll(marks)].map(([, text]) => text ?? '');
  if (typeof value !== 'object' || value === null || isLiteral(value)) return [];
  return Object.values(value).flatMap(listReferences);
}

/** Looks up what a reference names; undefined where there is nothing. */
export type Lookup = (reference: Reference) => JsonValue | undefined;

/**
 * Puts values in the place of references. A string that is one reference takes the value with its type; within a longer
 * string the value becomes text.
 * @throws CoordinatorError `input_unresolved`, naming the reference
 */
export function resolveReferences(input: JsonObject, lookup: Lookup): JsonObject {
  return Object.fromEntries(Object.entries(input).map(([key, value]) => [key, resolveValue(value, lookup)]));
}

function resolveValue(value: JsonValue, lookup: Lookup): JsonValue {
  if (typeof value === 'string') return resolveString(value, lookup);
  if (typeof value !== 'object' || value === null) return value;
  if (isLiteral(value)) return value.$literal;
  if (Array.isArray(value)) return value.map((item: JsonValue) => resolveValue(item, lookup));
  return resolveReferences(value as JsonObject, lookup);
}

/** `{ $literal: … }` stands for what it holds, whatever that looks like: text that others wrote is put into an input this way. */
export const isLiteral = (value: object): value is { $literal: JsonValue } =>
  Object.hasOwn(value, '$literal') && Object.keys(value).length === 1;

function resolveString(text: string, lookup: Lookup): JsonValue {
  const [whole] = text.matchAll(marks);
  if (whole !== undefined && whole[0] === text.trim()) return find(whole[1] ?? '', lookup);
  return text.replaceAll(marks, (_mark, reference: string) => {
    const value = find(reference, lookup);
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}

function find(text: string, lookup: Lookup): JsonValue {
  const reference = parseReference(text);
  const value = reference === undefined ? undefined : lookup(reference);
  if (value === undefined) throw new CoordinatorError('input_unresolved', { reference: text, message: `{{ ${text} }} leads to nothing.` });
  return value;
}

/**
 * Fills in a title when its task is made, so that people read it in lists. Only the ticket and the visit are known then; a
 * reference to anything else stays as it stands. What is longer than a title may be ends in a mark.
 */
export function fillTitle(title: string, lookup: Lookup): string {
  const filled = title.replaceAll(marks, (mark, text: string) => {
    const reference = parseReference(text);
    const value = reference === undefined ? undefined : lookup(reference);
    return value === undefined ? mark : typeof value === 'string' ? value : JSON.stringify(value);
  });
  return clip(filled, taskTitleMax);
}

/** Follows names and indices into a value, through its own properties only. */
export function valueAt(value: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as JsonObject)[key];
  }
  return current;
}
