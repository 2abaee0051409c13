import { eventNames, type MethodName, priorities, softwareDelivery } from '@baton/protocol';
import fc, { type Arbitrary } from 'fast-check';
import { isObject, paramsSchema, resolveSchema, type Schema } from './schema.ts';

/**
 * What stands for something that exists in the world of a run, so that a case says the same in every run with its seed.
 * `world.ts` puts the real thing in its place before a call is sent.
 */
export const symbols = [
  '@ticket',
  '@task',
  '@attempt',
  '@waitingTask',
  '@agent',
  '@artifact',
  '@subscription',
  '@token',
  '@resumeToken',
  '@foreignTicket',
  '@foreignTask',
  '@foreignAgent',
  '@foreignArtifact',
  '@foreignToken',
] as const;
export type WorldSymbol = (typeof symbols)[number];
export const isSymbol = (value: unknown): value is WorldSymbol =>
  typeof value === 'string' && (symbols as readonly string[]).includes(value);

const phases = softwareDelivery.phases.map(({ name }) => name);

/**
 * By the name of the parameter: what makes it likely that a call is accepted, where a value that only fits the schema would
 * find nothing. What a schema does not know either: a call that may wait a minute keeps all others waiting.
 */
const likely: Readonly<Record<string, Arbitrary<unknown>>> = {
  ticketId: fc.constant('@ticket'),
  taskId: fc.oneof({ weight: 5, arbitrary: fc.constant('@task') }, { weight: 1, arbitrary: fc.constant('@waitingTask') }),
  attempt: fc.constant('@attempt'),
  agentId: fc.constant('@agent'),
  taskIds: fc.subarray(['@task', '@waitingTask'], { minLength: 1 }),
  agentIds: fc.constant(['@agent']),
  artifactId: fc.constant('@artifact'),
  subscriptionId: fc.constant('@subscription'),
  tokenId: fc.constant('@token'),
  resumeToken: fc.constantFrom('@resumeToken', 'of nobody'),
  phase: fc.constantFrom('BACKLOG', ...phases),
  forPhase: fc.constantFrom(...phases),
  citation: fc.constantFrom('c:1', 'c:2', 'c:99'),
  to: fc.constantFrom(...phases),
  workflow: fc.constantFrom('software-delivery', 'unknown'),
  project: fc.constantFrom('default', 'unknown'),
  sha256: fc.constantFrom('0'.repeat(64), 'f'.repeat(64)),
  kinds: fc.subarray(['decision', 'risk', 'fact']),
  event: fc.constantFrom(...eventNames),
  priority: fc.constantFrom(...priorities),
  key: fc.constantFrom('port:1', 'port:2', 'db:dev', 'file:src/a b.ts'),
  keys: fc.uniqueArray(fc.constantFrom('port:1', 'port:2', 'db:dev'), { minLength: 1 }),
  waitMs: fc.nat(5),
  fence: fc.nat({ max: 5 }).map((value) => value + 1),
  timeoutMs: fc.integer({ min: 100, max: 60_000 }),
  dependsOn: fc.subarray(['@task', 'first', 'second']),
  notBy: fc.subarray(['@task', 'first']),
  runAt: fc.constantFrom('2020-01-01T00:00:00Z', '2120-01-01T00:00:00.000Z'),
  ref: fc.constantFrom('first', 'second', 'third'),
};

/** Where the name means something else. */
const unlikely: Readonly<Partial<Record<MethodName, readonly string[]>>> = { 'ticket/create': ['workflow'], 'lock/acquire': ['keys'] };

/** Parameters that the schema of the method allows. Not all of them are accepted: rules go beyond schemas. */
export function validParams(method: MethodName): Arbitrary<unknown> {
  const root = paramsSchema(method);
  const passedOver = unlikely[method] ?? [];

  function valueOf(given: Schema, name = ''): Arbitrary<unknown> {
    const hint = passedOver.includes(name) || !Object.hasOwn(likely, name) ? undefined : likely[name];
    if (hint !== undefined) return hint;
    const schema = resolveSchema(given, root);
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => valueOf(one)));
    switch (schema.type) {
      case 'string':
        return textOf(schema);
      case 'integer':
        return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 1_000, 1_000_000) });
      case 'number':
        return fc.double({ min: schema.minimum ?? 0, max: schema.maximum ?? 1_000, noNaN: true });
      case 'boolean':
        return fc.boolean();
      case 'array':
        return fc.array(valueOf(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 2, 2) });
      case 'object':
        return schema.properties === undefined ? anyObject : objectOf(schema);
      default:
        return fc.jsonValue({ maxDepth: 2 }).filter(isStorable);
    }
  }

  function objectOf({ properties = {}, required = [] }: Schema): Arbitrary<unknown> {
    const members = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valueOf(schema, name)]));
    return fc.record(members, { requiredKeys: [...required], noNullPrototype: true });
  }

  return valueOf(root);
}

const anyObject = fc
  .dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3, noNullPrototype: true })
  .filter(isStorable);

function textOf({ format, pattern, minLength = 0, maxLength = 40 }: Schema): Arbitrary<string> {
  if (format === 'uuid') return fc.uuid();
  const fits = (text: string) => text.length >= minLength && text.length <= maxLength;
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { maxLength: Math.min(maxLength, 40) }).filter(fits);
  return fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 20)), unit: 'grapheme' }).filter(fits);
}

/** What the frame's own check lets pass. */
function isStorable(value: unknown): boolean {
  if (isObject(value)) return Object.entries(value).every(([name, member]) => !forbidden.includes(name) && isStorable(member));
  return Array.isArray(value) ? value.every(isStorable) : true;
}
const forbidden = ['__proto__', 'constructor', 'prototype'];
