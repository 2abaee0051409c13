import { type Client, CoordinatorError, type LockMode } from '@baton/protocol';
import fc from 'fast-check';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { Pair } from '../support/pair.ts';
import { outcomeOf } from '../support/work.ts';
import { usualCommandsMax } from './settings.ts';
import { passLease } from './task-world.ts';
import * as rules from './lock-model.ts';
import type { HandedOver, LockModel, ModelGrant, ModelLockAgent, ModelRequest } from './lock-model.ts';
import {
  answerSoon,
  compareLocks,
  compareServed,
  letGo,
  type LockWorld,
  passTtl,
  patientMs,
  setUpLocks,
  toParams,
  waitInLine,
} from './lock-world.ts';

type LockCommand = fc.AsyncCommand<LockModel, LockWorld>;

interface Step<T> {
  readonly name: string;
  readonly targets: (model: LockModel) => readonly T[];
  /** Does it in both worlds, and answers who was served by it of those who waited. */
  readonly take: (model: LockModel, real: LockWorld, target: T) => Promise<readonly HandedOver[]>;
}

const at = <T>(pick: number, { name, targets, take }: Step<T>): LockCommand => ({
  check: (model) => targets(model).length > 0,
  async run(model, real) {
    await sendImpatientAway(model, real);
    const possible = targets(model);
    if (possible.length === 0) return;
    await compareServed(real, await take(model, real, possible[pick % possible.length]!));
    await compareLocks(model, real, real.pair.sites[pick % 2]!);
  },
  toString: () => `${name} #${pick}`,
});

const living = ({ agents }: LockModel) => agents.filter(({ session }) => session !== undefined);
/** Those that may ask: who waits already asks for nothing else. */
const free = (model: LockModel) => living(model).filter(({ name }) => !model.requests.some(({ agent }) => agent === name));
const clientOf = ({ sessions }: LockWorld, { session }: ModelLockAgent): Client => sessions.get(session!)!;
const ownerOf = (model: LockModel, { agent }: ModelGrant): ModelLockAgent => model.agents.find(({ name }) => name === agent)!;

type Wanted = readonly { readonly place: number; readonly mode: LockMode }[];

const toRequest = ({ keys }: LockWorld, { name }: ModelLockAgent, wanted: Wanted): ModelRequest => ({
  agent: name,
  keys: wanted.map(({ place, mode }) => ({ key: keys[place]!, mode })).toSorted((a, b) => (a.key < b.key ? -1 : 1)),
});

const describeWanted = (wanted: Wanted) => wanted.map(({ place, mode }) => `${mode} ${place}`).join(', ');

const acquiring = (wanted: Wanted, mayWait: boolean): Step<ModelLockAgent> => ({
  name: `${mayWait ? 'wait for' : 'acquire'} ${describeWanted(wanted)}`,
  targets: free,
  async take(model, real, agent) {
    const request = toRequest(real, agent, wanted);
    const expected = rules.acquire(model, request);
    if (!('blockedBy' in expected)) {
      const { locks } = await clientOf(real, agent).lock.acquire(toParams(request));
      expect(locks).toEqual(expected.map(({ key, mode, fence }) => ({ key, mode, fence })));
    } else if (mayWait && rules.wouldWaitForEver(model, request)) {
      const refused = await refusalOf(clientOf(real, agent).lock.acquire(toParams(request, 60_000)));
      expect(refused).toMatchObject({ kind: 'lock_conflict', data: { key: expected.blockedBy, deadlock: true } });
    } else if (mayWait) {
      rules.enqueue(model, request);
      await waitInLine(real, clientOf(real, agent), request);
    } else {
      const refused = await refusalOf(clientOf(real, agent).lock.acquire(toParams(request)));
      expect(refused).toMatchObject({ kind: 'lock_conflict', data: { key: expected.blockedBy } });
    }
    return [];
  },
});

const releasing = (places: readonly number[]): Step<ModelLockAgent> => ({
  name: `release ${places.join(', ') || 'all'}`,
  targets: (model) => living(model).flatMap((agent) => [agent, ...rules.heldBy(model, agent.name).map(() => agent)]),
  async take(model, real, agent) {
    const keys = places.length === 0 ? real.keys : places.map((place) => real.keys[place]!);
    const { released, served } = rules.release(model, agent.name, keys);
    expect(await clientOf(real, agent).lock.release(places.length === 0 ? {} : { keys: [...keys] })).toEqual({ released });
    return served;
  },
});

const renewing = (place: number): Step<ModelLockAgent> => ({
  name: `renew ${place}`,
  targets: living,
  async take(model, real, agent) {
    const held = rules.heldBy(model, agent.name).find(({ key }) => key === real.keys[place]);
    const outcome = await outcomeOf(clientOf(real, agent).lock.renew({ keys: [real.keys[place]!], ttlMs: 600_000 }));
    expect(outcome).toBe(held === undefined ? 'lock_lost' : 'accepted');
    return [];
  },
});

/** The newest fences are shown to a resource: only those that are held are let in. */
const checking = (pick: number): Step<string> => ({
  name: 'check',
  targets: ({ fences }) => [...fences].flatMap(([key, fence]) => (fence > 0 ? [key] : [])),
  async take({ fences, grants }, { pair }, key) {
    for (let fence = Math.max(1, fences.get(key)! - 3); fence <= fences.get(key)!; fence += 1) {
      const { valid } = await pair.sites[pick % 2]!.client.lock.check({ key, fence });
      expect({ key, fence, valid }).toEqual({ key, fence, valid: grants.some((grant) => grant.key === key && grant.fence === fence) });
    }
    return [];
  },
});

const expiring: Step<ModelGrant> = {
  name: 'let expire',
  targets: ({ grants }) => grants,
  async take(model, real, grant) {
    await passTtl(real, ownerOf(model, grant).session!, grant.key);
    return rules.release(model, grant.agent, [grant.key]).served;
  },
};

const givingUp: Step<ModelRequest> = {
  name: 'give up',
  targets: ({ requests }) => requests,
  async take(model, real, { agent, keys }) {
    const { giveUp, answer } = real.waiting.get(agent)!;
    real.waiting.delete(agent);
    giveUp();
    await answer;
    await eventually(
      async () => {
        const { waiters } = await real.pair.sites[1].client.lock.get({ key: keys[0]!.key });
        expect(waiters.map(({ agentName }) => agentName)).not.toContain(agent);
      },
      { everyMs: 2 },
    );
    return rules.withdraw(model, agent);
  },
};

async function sendImpatientAway(model: LockModel, real: LockWorld): Promise<void> {
  for (const request of model.requests) {
    const call = real.waiting.get(request.agent);
    if (call === undefined || performance.now() - call.since < patientMs) continue;
    await compareServed(real, await givingUp.take(model, real, request));
  }
}

const leaving = (how: 'deregister' | 'expire' | 'supersede', pick: number): Step<ModelLockAgent> => ({
  name: how,
  targets: living,
  async take(model, real, agent) {
    const session = agent.session!;
    if (how === 'deregister') await clientOf(real, agent).agent.deregister({});
    if (how === 'expire') await passLease(real, session);
    const newer = how === 'supersede' ? await real.register(agent, real.pair.sites[pick % 2]!) : undefined;
    const call = real.waiting.get(agent.name);
    real.waiting.delete(agent.name);
    if (call !== undefined) expect(await answerSoon(call)).toBe('session_unknown');
    const served = rules.endSession(model, agent);
    agent.session = newer;
    return served;
  },
});

const returning = (pick: number): Step<ModelLockAgent> => ({
  name: 'return',
  targets: ({ agents }) => agents.filter(({ session }) => session === undefined),
  async take(_model, real, agent) {
    agent.session = await real.register(agent, real.pair.sites[pick % 2]!);
    return [];
  },
});

async function refusalOf(call: Promise<unknown>): Promise<CoordinatorError> {
  const error: unknown = await call.then(
    () => 'It was accepted.',
    (error: unknown) => error,
  );
  if (error instanceof CoordinatorError) return error;
  throw new Error(String(error), { cause: error });
}

const pick = fc.nat(999);
const place = fc.nat(2);
const wanted = fc.uniqueArray(fc.record({ place, mode: fc.constantFrom<LockMode>('exclusive', 'exclusive', 'shared') }), {
  minLength: 1,
  maxLength: 3,
  selector: ({ place }) => place,
});
const step = <T>(make: (pick: number) => Step<T>) => pick.map((pick) => at(pick, make(pick)));
const acquisition = (mayWait: boolean) => fc.tuple(pick, wanted).map(([pick, wanted]) => at(pick, acquiring(wanted, mayWait)));

const commands: fc.Arbitrary<LockCommand>[] = [
  ...[false, true, true, true].map(acquisition),
  fc.tuple(pick, fc.uniqueArray(place, { maxLength: 2 })).map(([pick, places]) => at(pick, releasing(places))),
  step(() => releasing([])),
  fc.tuple(pick, place).map(([pick, place]) => at(pick, renewing(place))),
  step(checking),
  step(() => expiring),
  step(() => givingUp),
  step((pick) => leaving((['deregister', 'expire', 'supersede'] as const)[pick % 3]!, pick)),
  step(returning),
  step(returning),
];

/** Any history of up to so many commands, in which two coordinators must do what the model says. */
export const lockHistories = (pair: Pair, commandsMax = usualCommandsMax) =>
  fc.asyncProperty(fc.commands(commands, { maxCommands: commandsMax, size: 'max' }), async (commands) => {
    const setup = await setUpLocks(pair);
    try {
      await fc.asyncModelRun(() => setup, commands);
    } finally {
      await letGo(setup.model, setup.real);
    }
  });
