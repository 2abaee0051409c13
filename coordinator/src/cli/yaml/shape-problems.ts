import type { z } from 'zod';
import { findNearest, suggest } from './nearest.ts';
import { formatPath, type Path, type YamlDocument, type YamlProblem } from './yaml-document.ts';

/** What a document should be. */
export interface Shape {
  readonly schema: z.ZodType;
  /** The same for editors: it tells which fields there are. */
  readonly jsonSchema: unknown;
  /** A better word for a mistake that is often made, given its path and what stands there. */
  readonly hint?: (path: Path, value: unknown) => string | undefined;
}

/** Everything in the document that does not have this shape. */
export function findShapeProblems(document: YamlDocument, shape: Shape): YamlProblem[] {
  const checked = shape.schema.safeParse(document.value);
  return checked.success ? [] : checked.error.issues.flatMap((issue) => toProblems({ document, shape }, issue, []));
}

interface Checking {
  readonly document: YamlDocument;
  readonly shape: Shape;
}

function toProblems({ document, shape }: Checking, issue: z.core.$ZodIssue, within: Path): YamlProblem[] {
  const path = [...within, ...(issue.path as Path)];
  const problem = (at: Path, message: string, what?: 'key'): YamlProblem => ({
    ...document.locate(at, what),
    path: formatPath(at),
    message,
  });
  const hint = shape.hint?.(path, valueAt(document.value, path));

  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => problem([...path, key], `there is no such field${suggest(key, fieldsAt(shape, path))}`, 'key'));
    case 'invalid_key':
      return [problem(path, lowerFirst(issue.issues[0]?.message ?? issue.message), 'key')];
    case 'invalid_union': {
      if (hint !== undefined) return [problem(path, hint, 'key')];
      return chooseBranch(issue.errors, valueAt(document.value, path)).flatMap((inner) => toProblems({ document, shape }, inner, path));
    }
    case 'invalid_type':
      if (hint !== undefined) return [problem(path, hint)];
      if (valueAt(document.value, path) === undefined) return [problem(path, `is missing; expected ${issue.expected}`, 'key')];
      return [problem(path, lowerFirst(issue.message.replace('Invalid input: ', '')))];
    case 'invalid_value':
      return [problem(path, isUsual(issue) ? describeChoice(issue, valueAt(document.value, path)) : lowerFirst(issue.message))];
    case 'too_small':
    case 'too_big':
      return [problem(path, isUsual(issue) ? describeSize(issue, valueAt(document.value, path)) : lowerFirst(issue.message))];
    default:
      return [problem(path, hint ?? lowerFirst(issue.message.replace(/^Invalid (input|option): /, '')))];
  }
}

/** The words are those of zod, not of the schema's author. */
const isUsual = ({ message }: z.core.$ZodIssue): boolean => /^(Invalid|Too) /.test(message);

function describeChoice({ values }: z.core.$ZodIssueInvalidValue, value: unknown): string {
  const choices = values.map(String);
  if (typeof value !== 'string') return `expected one of ${choices.join(', ')}`;
  const nearest = findNearest(value, choices);
  return `expected one of ${choices.join(', ')}, and not ${value}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
}

const unitOf: Readonly<Record<string, string>> = { string: ' characters', array: ' items' };

/** How large a value must be, with its own size where it is a number. */
function describeSize(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, value: unknown): string {
  const isSmall = issue.code === 'too_small';
  const limit = isSmall ? issue.minimum : issue.maximum;
  const bound = issue.inclusive === false ? (isSmall ? 'more than' : 'less than') : isSmall ? 'at least' : 'at most';
  return `expected ${bound} ${limit}${unitOf[issue.origin] ?? ''}${typeof value === 'number' ? `, and not ${value}` : ''}`;
}

/** Which of the alternatives was meant: that of an agent by the field that says what it is; otherwise the one that the value comes nearest to. */
function chooseBranch(branches: readonly z.core.$ZodIssue[][], value: unknown): readonly z.core.$ZodIssue[] {
  // In the order of the union in the schema: an agent is a module, a process or a command.
  if (typeof value === 'object' && value !== null && 'command' in value) return branches.at(-1) ?? [];
  if (typeof value === 'object' && value !== null && 'process' in value) return branches[1] ?? [];
  const missesKind = (branch: readonly z.core.$ZodIssue[]) =>
    branch.some(
      ({ code, path }) => path.length === 0 && (code === 'invalid_type' || (code === 'invalid_value' && typeof value !== 'string')),
    );
  const fitting = branches.filter((branch) => !missesKind(branch));
  // A reference or an id: the rule for references is the one that helps.
  if (typeof value === 'string') return fitting.at(-1) ?? branches[0] ?? [];
  return fitting[0] ?? branches.at(-1) ?? [];
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) found = typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[step] : undefined;
  return found;
}

interface JsonSchema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
}

/** The fields that the published schema knows at a path. */
function fieldsAt({ jsonSchema }: Shape, path: Path): string[] {
  const root = jsonSchema as JsonSchema;
  let schemas = unfold(root, root);
  for (const step of path) schemas = schemas.flatMap((schema) => stepInto(schema, step)).flatMap((schema) => unfold(root, schema));
  return [...new Set(schemas.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

function stepInto({ items, properties, additionalProperties }: JsonSchema, step: string | number): JsonSchema[] {
  const rest = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  const next = typeof step === 'number' ? items : (properties?.[step] ?? rest);
  return next === undefined ? [] : [next];
}

function unfold(root: JsonSchema, schema: JsonSchema): JsonSchema[] {
  const target = schema.$ref === undefined ? undefined : root.definitions?.[schema.$ref.replace('#/definitions/', '')];
  const parts = [...(target === undefined ? [] : [target]), ...(schema.anyOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...parts.flatMap((part) => unfold(root, part))];
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
