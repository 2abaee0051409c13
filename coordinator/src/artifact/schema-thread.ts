import { parentPort } from 'node:worker_threads';
import type { JsonObject, JsonValue } from '@baton/protocol';
import type { ValidateFunction } from 'ajv';
import { LRUCache } from 'lru-cache';
import { compileSchema, findContentFaults, type SchemaFault } from './content-schema.ts';

// The entry of the thread that holds artifacts against schemas. It is ended where one takes too long.

/** A question: `key` stands for the schema. */
export interface SchemaQuestion {
  readonly key: string;
  readonly schema: JsonObject;
  readonly content: JsonValue;
}

export type SchemaAnswer = { readonly faults: readonly SchemaFault[] } | { readonly failed: string };

/** How many compiled schemas are kept. */
const compiled = new LRUCache<string, ValidateFunction>({ max: 200 });

function answer({ key, schema, content }: SchemaQuestion): SchemaAnswer {
  try {
    const validate = compiled.get(key) ?? compileSchema(schema);
    compiled.set(key, validate);
    return { faults: findContentFaults(validate, content) };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread is no window.
parentPort?.on('message', (question: SchemaQuestion) => parentPort?.postMessage(answer(question)));
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread is no window.
parentPort?.postMessage('ready');
