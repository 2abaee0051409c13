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

export const id = z.uuid('An id is a UUID, written in full.').meta({ id: 'Id', description: 'A UUID. Ids are made by the coordinator.' });

export const timestamp = z.iso
  .datetime('Write a moment in UTC, such as 2030-05-04T09:30:00Z.')
  .meta({ id: 'Timestamp', description: "A moment in UTC, such as `2030-05-04T09:30:00Z`, by the database's clock." });

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

/** What stands before the `@`, and all there is of a capability without a version. */
const capabilityName = '[a-z0-9][a-z0-9._+#-]*';
const normalised = z.string().trim().toLowerCase().min(1);

export const capability = normalised
  .max(64)
  .regex(new RegExp(`^${capabilityName}$`), 'Letters, digits and . _ + # - only.')
  .meta({
    id: 'Capability',
    description: 'The name of a capability. Trimmed and in lower case, so that `Python ` is `python`.',
  });

const noCapability = (version: string) => ({
  error: ({ input }: { readonly input?: unknown }) =>
    `${String(input)} is no capability. Write letters, digits and . _ + # - only, ${version}.`,
});

const offer = normalised
  .max(128)
  .regex(
    new RegExp(`^${capabilityName}(@\\d+(\\.\\d+){0,2}([+-][a-z0-9.+-]*)?)?$`),
    noCapability('with the version behind an @ where it matters, as in python@3.12.1'),
  )
  .meta({
    id: 'CapabilityOffer',
    description: 'What an agent can do: a name, or a name with the version that it has, such as `python@3.12.1`.',
  });

const need = normalised
  .max(128)
  .regex(
    new RegExp(`^${capabilityName}(@[a-z0-9.*^~<>=| +-]+)?$`),
    noCapability('with a range of versions behind an @ where it matters, as in python@>=3.11 <4'),
  )
  .meta({
    id: 'CapabilityNeed',
    description:
      'What an agent must be able to do: a name, or a name with a range of versions as npm writes them, such as `python@>=3.11 <4` or `node@^24`. A range is met by an offer that names its version only.',
  });

const toSet = (list: readonly string[]): string[] => [...new Set(list)].sort();

export const capabilities = z
  .array(offer)
  .max(64)
  .transform(toSet)
  .meta({ id: 'Capabilities', description: 'A set of capabilities: sorted and without duplicates, so that equal sets are equal arrays.' });

export const capabilityNeeds = z
  .array(need)
  .max(64)
  .transform(toSet)
  .meta({ id: 'CapabilityNeeds', description: 'A set of needs: sorted and without duplicates, so that equal sets are equal arrays.' });

export const tags = z
  .array(capability)
  .max(64)
  .meta({ id: 'Tags', description: 'Labels for people and for search; no task asks for them.' });

export const priorities = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const;
export const priority = z
  .enum(priorities)
  .meta({ id: 'Priority', description: 'How much earlier than others it comes up. Nothing waits for ever.' });
export type Priority = z.infer<typeof priority>;

export const phaseName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'A phase name is in capitals, such as IMPLEMENTATION.')
  .meta({ id: 'PhaseName', description: 'A phase of a workflow, such as IMPLEMENTATION.' });

const limitRange = 'Expected a whole number from 1 to 1000.';

export const limit = z.int(limitRange).min(1, limitRange).max(1_000, limitRange).describe('At most this many rows in one answer.');

export const cursor = z.string().max(256).describe('Where the page begins: `next` of the page before.');

export const nextCursor = z.string().optional().describe('Where the next page begins; absent on the last one.');

export const waitMs = z.int().min(0).max(60_000).describe('How long the call may wait in the coordinator, in ms.');

export const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ id: 'Sha256', description: 'sha-256 in hexadecimal.' });
