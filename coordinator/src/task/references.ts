import { CoordinatorError, type JsonObject, type JsonValue } from '@baton/protocol';

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
  const [kind, ...rest] = text.split('.');
  return (kind === 'ticket' || kind === 'visit' || kind === 'gate') && rest.length > 0 ? { kind, path: rest } : undefined;
}

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
const isLiteral = (value: object): value is { $literal: JsonValue } => Object.hasOwn(value, '$literal') && Object.keys(value).length === 1;

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

/** Follows names and indices into a value, through its own properties only. */
export function valueAt(value: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as JsonObject)[key];
  }
  return current;
}
