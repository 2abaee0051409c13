import { toStorable } from '@baton/sdk/connection';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml';

export interface Position {
  /** Both begin with 1. */
  readonly line: number;
  readonly column: number;
}

/** A mistake in a file, with its place. */
export interface YamlProblem extends Position {
  /** The field, as in `phases.TESTING.tasks[2].locks[0].key`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export type Path = readonly (string | number)[];

/** A YAML file: its values, and where in the file each of them stands. */
export interface YamlDocument {
  /** As the user named it. */
  readonly file: string;
  readonly text: string;
  readonly value: unknown;
  /** What is wrong with it as YAML. Values of such a file cannot be trusted. */
  readonly syntaxProblems: readonly YamlProblem[];
  /** The place of the value at a path, or of its key; of the nearest thing around it where there is none. */
  locate(path: Path, what?: 'value' | 'key'): Position;
}

export function readYamlDocument(text: string, file: string): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const errors = [
    ...document.errors.map(({ pos, code, message }) => ({ offset: pos[0], message: code === 'MULTIPLE_DOCS' ? secondDocument : message })),
    ...findLooseAliases(document),
    ...findOddTexts(document),
  ];
  const { value, fault } = errors.length === 0 ? toValue(document) : {};
  const syntaxProblems = [...errors, ...(fault === undefined ? [] : [{ offset: 0, message: fault }])].map(({ offset, message }) => ({
    ...at(offset),
    path: '',
    message,
  }));
  return {
    file,
    text,
    value,
    syntaxProblems,
    locate: (path, what = 'value') => at(offsetOf(document, path, what)),
  };
}

const secondDocument = 'a second document begins here, and the file is one: take out the line `---`';

function findLooseAliases(document: Document.Parsed): { offset: number; message: string }[] {
  const loose: { offset: number; message: string }[] = [];
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      const message = `there is no anchor &${alias.source} before this; text that begins with * needs quotes`;
      loose.push({ offset: alias.range?.[0] ?? 0, message });
    },
  });
  return loose;
}

/** What an escape in a quoted text may stand for, and no coordinator takes. */
function findOddTexts(document: Document.Parsed): { offset: number; message: string }[] {
  const message = 'holds a character that is not allowed: U+0000, or half of a surrogate pair';
  const odd: { offset: number; message: string }[] = [];
  visit(document, {
    Scalar(_, { value, range }) {
      if (typeof value === 'string' && toStorable(value) !== value) odd.push({ offset: range?.[0] ?? 0, message });
    },
  });
  return odd;
}

/** The values of a document, or why there are none: aliases may stand for more than fits into memory. */
function toValue(document: Document.Parsed): { value?: unknown; fault?: string } {
  try {
    return { value: document.toJS() };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

/** `plan.yaml:12:7 phases.TESTNG: the workflow … has no such phase`, as editors and terminals make a link of it. */
export const formatProblem = (file: string, { line, column, path, message }: YamlProblem): string =>
  `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`;

export const formatPath = (path: Path): string =>
  path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`)).join('');

/** The way back from `formatPath`. */
export const parsePath = (text: string): Path =>
  [...text.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([step, index]) => (index === undefined ? step : Number(index)));

function offsetOf(document: Document.Parsed, path: Path, what: 'value' | 'key'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, step] of path.entries()) {
    const found = childOf(isAlias(node) ? node.resolve(document) : node, step);
    if (found === undefined) return offset;
    const isLast = index === path.length - 1;
    offset = (isLast && what === 'key' ? startOf(found.key) : startOf(found.value)) ?? startOf(found.key) ?? offset;
    node = found.value;
  }
  return offset;
}

function childOf(node: unknown, step: string | number): { key?: unknown; value: unknown } | undefined {
  if (isSeq(node)) {
    const value = typeof step === 'number' ? node.items[step] : undefined;
    return value === undefined ? undefined : { value };
  }
  if (!isMap(node)) return undefined;
  return node.items.find((pair: Pair) => (isScalar(pair.key) ? String(pair.key.value) : String(pair.key)) === String(step));
}

const startOf = (node: unknown): number | undefined => (node as Node | null | undefined)?.range?.[0];
