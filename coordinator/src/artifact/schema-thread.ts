import { parentPort } from 'node:worker_threads';
import type { JsonObject, JsonValue } from '@baton/protocol';
import type { ValidateFunction } from 'ajv';
import { LRUCache } from 'lru-cache';
import { compileSchema, findContentFaults, findPatternFault, findSchemaFaults, type SchemaFault } from './content-schema.ts';

// The entry of the thread that compiles schemas and patterns of users, and holds content against them. It is ended where one takes too long.

/** Whether content fits a schema. `key` stands for the schema. */
interface ContentQuestion {
  readonly key: string;
  readonly schema: JsonObject;
  readonly content: JsonValue;
}

/** The same for several configurations. The faults have their paths. */
interface ConfigQuestion {
  readonly key: string;
  readonly schema: JsonObject;
  readonly configs: readonly { readonly path: string; readonly config: JsonValue }[];
}

/** Whether all of these can be used. The faults have the paths that are given here. */
interface WordingQuestion {
  readonly schemas: readonly { readonly path: string; readonly schema: JsonObject }[];
  readonly patterns: readonly { readonly path: string; readonly pattern: string }[];
}

export type SchemaQuestion = ContentQuestion | ConfigQuestion | WordingQuestion;

export type SchemaAnswer = { readonly faults: readonly SchemaFault[] } | { readonly failed: string };

/** How many compiled schemas are kept. */
const compiled = new LRUCache<string, ValidateFunction>({ max: 200 });

function findWordingFaults({ schemas, patterns }: WordingQuestion): SchemaFault[] {
  // The same pattern may stand in many criteria.
  const messages = new Map([...new Set(patterns.map(({ pattern }) => pattern))].map((pattern) => [pattern, findPatternFault(pattern)]));
  return [
    ...schemas.flatMap(({ path, schema }) => findSchemaFaults(schema).map((fault) => ({ ...fault, path: `${path}${fault.path}` }))),
    ...patterns.flatMap(({ path, pattern }) => {
      const message = messages.get(pattern);
      return message === undefined ? [] : [{ path, message }];
    }),
  ];
}

function answer(question: SchemaQuestion): SchemaAnswer {
  try {
    if ('patterns' in question) return { faults: findWordingFaults(question) };
    const { key, schema } = question;
    const validate = compiled.get(key) ?? compileSchema(schema);
    compiled.set(key, validate);
    if ('content' in question) return { faults: findContentFaults(validate, question.content) };
    const faultsOf = ({ path, config }: ConfigQuestion['configs'][number]) =>
      findContentFaults(validate, config).map((fault) => ({ ...fault, path: fault.path.replace('content', () => path) }));
    return { faults: question.configs.flatMap(faultsOf) };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread is no window.
parentPort?.on('message', (question: SchemaQuestion) => parentPort?.postMessage(answer(question)));
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread is no window.
parentPort?.postMessage('ready');
