import { z } from 'zod';

/** What JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

export const jsonValue = z
  .custom<JsonValue>((value) => value !== undefined, 'Expected a JSON value.')
  .meta({ id: 'JsonValue', description: 'Any JSON value. Depth, size and forbidden keys are checked once for the whole frame, not here.' });
export const jsonObject = z
  .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'Expected a JSON object.')
  .meta({ id: 'JsonObject', type: 'object', description: 'Any JSON object.' });

export const id = z.uuid().meta({ id: 'Id', description: 'A UUID. Ids are made by the coordinator.' });

export const timestamp = z.iso.datetime().meta({ id: 'Timestamp', description: "When something happened, by the database's clock." });

export const idempotencyKey = z.string().min(1).max(128).meta({
  id: 'IdempotencyKey',
  description: 'Same key and same parameters: the same result and one effect. Same key, other parameters: `idempotency_conflict`.',
});

export const name = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._:/@-]*$/, 'Start with a letter or digit; then letters, digits, spaces and . _ : / @ - only.')
  .meta({ id: 'Name', description: 'A name that people choose for a thing and programs use as its key.' });

export const capability = z
  .string()
  .trim()
  .toLowerCase()
  .min(1)
  .max(64)
  .regex(/^[a-z0-9][a-z0-9._+#-]*$/, 'Letters, digits and . _ + # - only.')
  .meta({
    id: 'Capability',
    description: 'What an agent offers and a task needs. Trimmed and in lower case, so that `Python ` is `python`.',
  });

export const capabilities = z
  .array(capability)
  .max(64)
  .transform((list) => [...new Set(list)].sort())
  .meta({ id: 'Capabilities', description: 'A set of capabilities: sorted and without duplicates, so that equal sets are equal arrays.' });

export const priorities = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const;
export const priority = z
  .enum(priorities)
  .meta({ id: 'Priority', description: 'How much earlier than others it comes up. Nothing waits for ever.' });
export type Priority = z.infer<typeof priority>;

export const phaseName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'A phase name is in capitals, such as IMPLEMENTATION.')
  .meta({ id: 'PhaseName', description: 'A phase of a workflow, such as IMPLEMENTATION.' });

export const limit = z.int().min(1).max(1_000).describe('At most this many rows in one answer.');

export const cursor = z.string().max(256).describe('Where the page begins: `next` of the page before.');

export const nextCursor = z.string().optional().describe('Where the next page begins; absent on the last one.');

export const waitMs = z.int().min(0).max(60_000).describe('How long the call may wait in the coordinator, in ms.');

export const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ id: 'Sha256', description: 'sha-256 in hexadecimal.' });
