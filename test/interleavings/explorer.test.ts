import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EntityManager } from '../../coordinator/src/db/orm.ts';
import { readSchema } from './effect.ts';
import { BadInterleaving, type Contest, explore } from './explorer.ts';
import { exploreMs } from './contest.ts';
import { type GatedCoordinator, openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await world.rows('create table counters (id uuid primary key, value int not null)');
  await world.rows('create table notes (id uuid primary key, counter_id uuid not null references counters, value int not null)');
  world = { ...world, stage: { ...world.stage, schema: await readSchema(world.stage.observer) } };
});
afterAll(() => world.stop());

type Increment = (em: EntityManager, id: string) => Promise<unknown>;

const readValue = async (em: EntityManager, id: string) =>
  (await em.execute<{ value: number }[]>('select value from counters where id = ?', [id]))[0]!.value;
const writeValue = (em: EntityManager, id: string, value: number) => em.execute('update counters set value = ? where id = ?', [value, id]);
/** Runs work in one transaction at a coordinator. */
const alone = ({ db }: GatedCoordinator, work: (em: EntityManager) => Promise<unknown>) => db.em.fork().transactional(work);

/** Two coordinators that each increment one counter once, in a way that is to be judged. */
const countTo2 = (increment: Increment): Contest => ({
  async prepare() {
    const id = crypto.randomUUID();
    await world.rows('insert into counters values ($1, 0)', [id]);
    const side = (name: string, coordinator: GatedCoordinator) => ({
      name,
      gate: coordinator.gate,
      act: () => alone(coordinator, (em) => increment(em, id)),
    });
    return {
      sides: [side('a', world.a), side('b', world.b)],
      async check() {
        const [row] = await world.rows<{ value: number }>('select value from counters where id = $1', [id]);
        expect(row).toEqual({ value: 2 });
      },
    };
  },
});

test(
  'a service that reads and then writes loses an update, and the explorer finds the order in which it does',
  async () => {
    const wrong = countTo2(async (em, id) => writeValue(em, id, (await readValue(em, id)) + 1));

    const found = await explore(world.stage, wrong).catch((error: unknown) => error);

    expect(found).toBeInstanceOf(BadInterleaving);
    expect(String(found)).toMatch(/a: select[^]*b: select[^]*a: commit/);
  },
  exploreMs,
);

test(
  'a service that locks the row before it reads loses none, in whatever order',
  async () => {
    const right = countTo2(async (em, id) => {
      await em.execute('select 1 from counters where id = ? for update', [id]);
      await writeValue(em, id, (await readValue(em, id)) + 1);
    });

    const { schedules, blocked } = await explore(world.stage, right);

    expect(blocked).toBeGreaterThan(0);
    expect(schedules).toBeGreaterThan(blocked);
  },
  exploreMs,
);

test(
  'two who take two locks in opposite orders stand in a circle in some order, and the explorer says so',
  async () => {
    const [low, high] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
    await world.rows('insert into counters values ($1, 0), ($2, 0)', [low, high]);
    const take = (ids: readonly string[]) => async (em: EntityManager) => {
      for (const id of ids) await em.execute('update counters set value = value + 1 where id = ?', [id]);
    };
    const circle: Contest = {
      prepare: async () => ({
        sides: [
          { name: 'a', gate: world.a.gate, act: () => alone(world.a, take([low, high])) },
          { name: 'b', gate: world.b.gate, act: () => alone(world.b, take([high, low])) },
        ],
        check: () => undefined,
      }),
    };

    const { deadlocks } = await explore(world.stage, circle);

    expect(deadlocks).toBeGreaterThan(0);
  },
  exploreMs,
);

/** Reads, notes, changes: of every kind of statement one, so that leaving out equivalent orders has something to leave out. */
const notesAndCounts = (ends: Set<string>): Contest => ({
  async prepare() {
    const id = crypto.randomUUID();
    await world.rows('insert into counters values ($1, 0)', [id]);
    const read: number[] = [];
    const side = (name: string, coordinator: GatedCoordinator, step: number) => ({
      name,
      gate: coordinator.gate,
      act: () =>
        alone(coordinator, async (em) => {
          read[step - 1] = await readValue(em, id);
          await em.execute('insert into notes select ?, id, value from counters where id = ?', [crypto.randomUUID(), id]);
          await em.execute('update counters set value = value * 2 + ? where id = ?', [step, id]);
        }),
    });
    return {
      sides: [side('a', world.a, 1), side('b', world.b, 2)],
      async check() {
        const [counter] = await world.rows<{ value: number }>('select value from counters where id = $1', [id]);
        const notes = await world.rows<{ value: number }>('select value from notes where counter_id = $1 order by 1', [id]);
        ends.add(JSON.stringify([counter?.value, notes.map(({ value }) => value), read]));
      },
    };
  },
});

test(
  'leaving out orders that cannot matter leaves out none of the ends that all orders lead to',
  async () => {
    const [reduced, all] = [new Set<string>(), new Set<string>()];

    const few = await explore(world.stage, notesAndCounts(reduced));
    const many = await explore(world.stage, notesAndCounts(all), { isPlain: true });

    expect([...reduced].toSorted()).toEqual([...all].toSorted());
    expect(few.schedules).toBeLessThan(many.schedules / 3);
  },
  exploreMs,
);

test(
  'the plain exploration of sides that never meet runs every order once',
  async () => {
    const apart: Contest = {
      prepare: async () => ({
        sides: [world.a, world.b].map(({ gate, db }, index) => ({
          name: `${index}`,
          gate,
          act: async () => {
            for (let n = 0; n < 3; n += 1) await db.em.fork().execute('select 1');
          },
        })),
        check: () => undefined,
      }),
    };

    const plain = await explore(world.stage, apart, { isPlain: true });
    const reduced = await explore(world.stage, apart);

    // 6 over 3.
    expect(plain.schedules).toBe(20);
    expect(reduced.schedules).toBe(1);
  },
  exploreMs,
);
