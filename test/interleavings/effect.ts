import type { Client } from 'pg';

/** How strongly a row is held, as PostgreSQL has it; `insert` waits for an equal key that comes or goes. */
type Mode = 'key share' | 'share' | 'no key update' | 'update' | 'insert';

const conflicts: Readonly<Record<Mode, readonly Mode[]>> = {
  'key share': ['update'],
  share: ['no key update', 'update'],
  'no key update': ['share', 'no key update', 'update', 'insert'],
  update: ['key share', 'share', 'no key update', 'update', 'insert'],
  insert: ['no key update', 'update', 'insert'],
};

type Holds = ReadonlyMap<string, ReadonlySet<Mode>>;

/** What a statement can see of other transactions and they of it, by table. */
export interface Effect {
  readonly reads: ReadonlySet<string>;
  readonly takes: Holds;
  readonly writes: ReadonlySet<string>;
  /** At the end of a transaction: what all can see from here on. */
  readonly publishes: ReadonlySet<string>;
  /** At the end of a transaction: what nobody has to wait for any more. */
  readonly frees: Holds;
}

/** What a transaction has done so far. */
export interface OpenTransaction {
  readonly writes: Set<string>;
  readonly takes: Map<string, Set<Mode>>;
}

const nothing: Effect = { reads: new Set(), takes: new Map(), writes: new Set(), publishes: new Set(), frees: new Map() };

export interface Schema {
  readonly tables: readonly string[];
  /** The tables that a table refers to: writing to it holds rows of theirs. */
  readonly parents: ReadonlyMap<string, readonly string[]>;
  /** The tables whose rows go, or are looked at, when a row of the table is deleted. */
  readonly children: ReadonlyMap<string, readonly string[]>;
  /** Tables with a unique key that two transactions may both want to insert. */
  readonly keyed: ReadonlySet<string>;
}

/** Reads from the catalogue what the text of a statement does not say. */
export async function readSchema(client: Client): Promise<Schema> {
  const { rows: tables } = await client.query<{ name: string }>(`select relname as name from pg_class where relkind in ('r', 'S')
    and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) and relname !~ '^pg_'`);
  const { rows: links } = await client.query<{ child: string; parent: string }>(
    `select distinct c.relname as child, p.relname as parent from pg_constraint k
     join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid where k.contype = 'f'`,
  );
  // A single column `id` is a fresh uuid: nobody else inserts the same.
  const { rows: keyed } = await client.query<{ name: string }>(
    `select distinct c.relname as name from pg_index i join pg_class c on c.oid = i.indrelid
     where i.indisunique and not (i.indnkeyatts = 1 and exists (select 1 from pg_attribute a
       where a.attrelid = i.indrelid and a.attnum = i.indkey[0] and a.attname = 'id' and a.atttypid = 'uuid'::regtype))`,
  );
  return {
    tables: tables.map(({ name }) => name),
    parents: new Map([...Map.groupBy(links, ({ child }) => child)].map(([child, of]) => [child, of.map(({ parent }) => parent)])),
    children: new Map([...Map.groupBy(links, ({ parent }) => parent)].map(([parent, of]) => [parent, of.map(({ child }) => child)])),
    keyed: new Set(keyed.map(({ name }) => name)),
  };
}

/** Words that make a statement depend on the clock of the test. */
const clock = /clock_timestamp|statement_timestamp/;
const begins = /^\s*(begin|start transaction|set transaction|savepoint|release)\b/i;
const commits = /^\s*commit\b/i;
const rollsBack = /^\s*rollback\b/i;

/** What a statement may do, in the transaction that is open. Without one it commits by itself. */
export function effectOf(schema: Schema, text: string, open: OpenTransaction | undefined): Effect {
  if (begins.test(text)) return nothing;
  if (commits.test(text)) return { ...nothing, publishes: open?.writes ?? new Set(), frees: open?.takes ?? new Map() };
  if (rollsBack.test(text)) return { ...nothing, frees: open?.takes ?? new Map() };
  const { reads, writes, takes } = readText(schema, text);
  return open === undefined ? { reads, takes, writes, publishes: writes, frees: takes } : { ...nothing, reads, takes, writes };
}

/**
 * What a statement has done, now that it is known how many rows it was about: one that found none has locked and written
 * none. What skips locked rows, or does several things at once, may have met rows that it does not tell of.
 */
export function effectDone(effect: Effect, text: string, rowCount: number | undefined): Effect {
  if (rowCount !== 0 || /\bskip locked\b/i.test(text) || !/^\s*(select|insert|update|delete)\b/i.test(text)) return effect;
  return { ...nothing, reads: effect.reads };
}

/** The transaction after a statement that did this; undefined where none is open. */
export function advance(text: string, effect: Effect, open: OpenTransaction | undefined): OpenTransaction | undefined {
  if (begins.test(text)) return open ?? { writes: new Set(), takes: new Map() };
  if (commits.test(text) || rollsBack.test(text) || open === undefined) return undefined;
  for (const table of effect.writes) open.writes.add(table);
  for (const [table, modes] of effect.takes) open.takes.set(table, new Set([...(open.takes.get(table) ?? []), ...modes]));
  return open;
}

function readText(
  { tables, parents, children, keyed }: Schema,
  text: string,
): { reads: Set<string>; writes: Set<string>; takes: Map<string, Set<Mode>> } {
  const plain = text.replaceAll('"', '');
  const isMentioned = (table: string) => new RegExp(`\\b${table}\\b`).test(plain);
  const reads = new Set(tables.filter(isMentioned));
  if (clock.test(plain)) reads.add('clock');
  const writes = new Set<string>();
  const takes = new Map<string, Set<Mode>>();
  const take = (table: string, mode: Mode) => void takes.set(table, (takes.get(table) ?? new Set()).add(mode));
  const written = (pattern: string) => tables.filter((table) => new RegExp(`\\b${pattern} (only )?(\\w+\\.)?${table}\\b`, 'i').test(plain));

  for (const [, mode] of plain.matchAll(/\bfor (key share|share|no key update|update)\b/gi)) {
    // Which of the tables it is about is not looked for: that of all is the safe answer.
    for (const table of tables.filter(isMentioned)) take(table, (mode ?? 'update').toLowerCase() as Mode);
  }
  for (const table of written('update')) {
    writes.add(table);
    take(table, 'no key update');
  }
  for (const table of written('delete from')) {
    for (const each of [table, ...(children.get(table) ?? [])]) {
      writes.add(each);
      take(each, 'update');
    }
  }
  for (const table of written('insert into')) {
    writes.add(table);
    if (keyed.has(table)) take(table, 'insert');
    if (/\bdo update\b/i.test(plain)) take(table, 'no key update');
  }
  for (const table of writes) for (const parent of parents.get(table) ?? []) take(parent, 'key share');
  if (/\btest_clock\.pass\b/.test(plain)) writes.add('clock');
  if (/pg_advisory/.test(plain)) take('advisory', 'update');
  return { reads, writes, takes };
}

const meet = (a: Holds, b: Holds): boolean =>
  [...a].some(([table, modes]) => {
    const others = b.get(table);
    return others !== undefined && [...modes].some((mode) => conflicts[mode].some((other) => others.has(other)));
  });

const sees = (end: Effect, other: Effect): boolean =>
  [...end.publishes].some((table) => other.reads.has(table) || other.takes.has(table)) || meet(end.frees, other.takes);

/**
 * Whether the order of two statements of different sides can matter. Where it cannot, both orders lead to the same rows, the
 * same answers and the same waits: uncommitted rows are invisible to others, so that only locks and ends of transactions meet.
 */
export const areDependent = (a: Effect, b: Effect): boolean => meet(a.takes, b.takes) || sees(a, b) || sees(b, a);

/** Whether a statement may have to wait for a transaction that is open, or for what another statement of it is about to take. */
export const mayWaitFor = (effect: Effect, { takes }: Pick<OpenTransaction, 'takes'> | Pick<Effect, 'takes'>): boolean =>
  meet(effect.takes, takes);
