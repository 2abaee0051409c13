import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  CoordinatorError,
  errorCatalogue,
  errorKinds,
  eventNames,
  events,
  finalStates,
  generalErrors,
  isErrorKind,
  mayAccess,
  type MethodDefinition,
  methodNames,
  methods,
  next,
  notifications,
  roles,
  softwareDelivery,
  taskMachine,
  toAsyncApi,
  toMermaid,
  toOpenRpc,
} from './index.ts';

describe('the task machine', () => {
  const steps = Object.keys(taskMachine.steps) as (keyof typeof taskMachine.steps)[];
  const pairs = taskMachine.states.flatMap((state) => steps.map((step) => [state, step] as const));

  test.each(pairs)('%s --%s--> leads where the table says, or nowhere', (state, step) => {
    const { from, to } = taskMachine.steps[step];

    expect(next(taskMachine, state, step)).toBe((from as readonly string[]).includes(state) ? to : undefined);
  });

  test('nothing leaves completed', () => {
    expect(finalStates(taskMachine)).toEqual(['completed']);
  });

  test('it draws itself', () => {
    expect(toMermaid(taskMachine)).toContain('running --> ready: requeue');
  });
});

describe('the error catalogue', () => {
  test('no two kinds share a code', () => {
    const codes = errorKinds.map((kind) => errorCatalogue[kind].code);

    expect(codes).toEqual([...new Set(codes)]);
  });

  test.each(errorKinds)('%s has a code that says who is to blame, and a sentence', (kind) => {
    const { code, blame, title } = errorCatalogue[kind];

    const blameOfOurs = Math.floor(code / 100) === 503 ? 'passing' : 'caller';
    expect(code < 0 || blame === blameOfOurs).toBe(true);
    expect(title).toMatch(/^[A-Z].*\.$/);
    expect(new CoordinatorError(kind)).toMatchObject({ kind, code, retryable: blame === 'passing', message: title });
  });

  test('every kind is told by some method, or by any call', () => {
    const told = new Set<string>([...generalErrors, ...methodNames.flatMap((name) => methods[name].errors)]);

    expect(errorKinds.filter((kind) => !told.has(kind))).toEqual([]);
  });

  test('a name of an object is not a kind', () => {
    expect(isErrorKind('toString')).toBe(false);
    expect(isErrorKind('ticket_not_found')).toBe(true);
  });
});

describe('the methods', () => {
  test.each(methodNames.filter((name) => name !== 'rpc.discover'))('%s is called noun/verb and says what it does', (name) => {
    expect(name).toMatch(/^[a-z]+\/[a-z][A-Za-z]*$/);
    expect(methods[name].summary).toMatch(/^[A-Z].*\.$/);
  });

  test.each(methodNames)('%s refuses a parameter it does not know', (name) => {
    const { success, error } = methods[name].params.safeParse({ noSuchParameter: true });

    expect(success).toBe(false);
    expect(error?.issues).toContainEqual(expect.objectContaining({ code: 'unrecognized_keys' }));
  });

  // What is told to those who work may be told without a change: `gate/explain` runs validators, and records nothing.
  const writing = methodNames.filter((name) => methods[name].access !== 'read' && !/\/(get|list|explain)$/.test(name));

  test.each(writing)('%s, which changes something, takes an idempotency key', (name) => {
    expect(methods[name].params.shape).toHaveProperty('idempotencyKey');
  });

  test.each(methodNames)('%s tells errors of the catalogue only, each once', (name) => {
    const { errors } = methods[name];

    expect(errors.every(isErrorKind)).toBe(true);
    expect(errors).toEqual([...new Set(errors)]);
  });

  test.each(methodNames)('%s has an example that its own schemas accept', (name) => {
    const { params, result, example }: MethodDefinition = methods[name];

    expect(z.safeParse(params, example.params).error).toBeUndefined();
    // Checked as the coordinator checks what it sends: nothing is changed by it, so nothing in the example is superfluous.
    expect(z.parse(result, example.result)).toEqual(example.result);
  });

  test('all are in the OpenRPC document, with what they refer to', () => {
    const document = toOpenRpc(methods, '1.2.3');
    const referred = [...JSON.stringify(document.methods).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name);

    expect(document.methods.map(({ name }) => name)).toEqual(methodNames);
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining([...new Set(referred)]));
  });

  test('no schema of the document refers to nowhere', () => {
    const { components } = toOpenRpc(methods, '1.2.3');
    const referred = [...JSON.stringify(components).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);

    expect(Object.keys(components.schemas)).toEqual(expect.arrayContaining([...new Set(referred)]));
  });
});

test('all notifications and events are in the AsyncAPI document', () => {
  const { components } = toAsyncApi({ notifications, events }, '1.2.3');

  expect(Object.values(components.messages).map(({ name }) => name)).toEqual([...Object.keys(notifications), '$/cancelRequest']);
  expect(Object.keys(components.schemas)).toEqual(expect.arrayContaining([...eventNames]));
});

test.each(eventNames)('the event %s is called noun.pastTense', (name) => {
  expect(name).toMatch(/^[a-z]+(\.[a-z]+)?\.[a-z][A-Za-z]*$/);
});

test('each role may do what the one before it may', () => {
  const accesses = ['read', 'work', 'operate', 'administer'] as const;

  expect(roles.map((role) => accesses.filter((access) => mayAccess(role, access)).length)).toEqual([1, 2, 3, 4]);
});

test('a task type is a capability, sorted and once', () => {
  const { tasks } = methods['task/submit'].params.shape;
  const parsed = z.parse(tasks, [{ type: ' Python ', capabilities: ['b', 'A', 'b '] }]);

  expect(parsed[0]).toMatchObject({ type: 'python', capabilities: ['a', 'b'], maxAttempts: 3, onDependencyFailure: 'skip' });
});

test('software-delivery has eight phases and an edge back from TESTING', () => {
  expect(softwareDelivery.phases).toHaveLength(8);
  expect(softwareDelivery.edges).toContainEqual({ from: 'TESTING', to: 'IMPLEMENTATION', kind: 'regression' });
});
