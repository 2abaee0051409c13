import { appendFileSync, readFileSync } from 'node:fs';

/** A call as its client saw it. Times are ms of the clock that all processes of the machine share. */
export interface Operation {
  /** Unique in the history. */
  readonly id: string;
  readonly client: string;
  /** The session that the call belonged to. */
  readonly session?: string | undefined;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly invokedAt: number;
  /** Absent while nobody knows: the client died. */
  readonly endedAt?: number | undefined;
  /** `fail` changed nothing; of `unknown` nobody can say. */
  readonly outcome: 'ok' | 'fail' | 'unknown';
  readonly result?: unknown;
  /** Why it failed, or what is known of it. */
  readonly kind?: string | undefined;
}

type Entry =
  | ({ readonly type: 'invoke'; readonly at: number } & Pick<Operation, 'id' | 'client' | 'session' | 'method' | 'params'>)
  | ({ readonly type: Operation['outcome']; readonly at: number } & Pick<Operation, 'id' | 'result' | 'kind'>);

/** The monotonic clock of the machine: the same in every process. */
export const readClock = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;

export interface HistoryLog {
  invoke(operation: Pick<Operation, 'client' | 'session' | 'method' | 'params'>): string;
  end(id: string, outcome: Operation['outcome'], told?: Pick<Operation, 'result' | 'kind'>): void;
}

/** Writes to a file of JSON lines, each before the call goes on: a client that is killed leaves what it had done. */
export function openHistory(file: string, name: string): HistoryLog {
  let count = 0;
  const write = (entry: Entry) => appendFileSync(file, `${JSON.stringify(entry)}\n`);
  return {
    invoke(operation) {
      const id = `${name}-${(count += 1)}`;
      write({ type: 'invoke', at: readClock(), id, ...operation });
      return id;
    },
    end: (id, outcome, told = {}) => write({ type: outcome, at: readClock(), id, ...told }),
  };
}

/** The operations of a file, in the order in which they began. A line that a dying client did not finish is passed over. */
export function readHistory(file: string): Operation[] {
  const operations = new Map<string, Operation>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const entry = parseEntry(line);
    if (entry === undefined) continue;
    const { type, at, ...rest } = entry;
    const begun = operations.get(entry.id);
    if (type === 'invoke') operations.set(entry.id, { ...(rest as Operation), invokedAt: at, outcome: 'unknown' });
    else if (begun !== undefined) operations.set(entry.id, { ...begun, ...rest, endedAt: at, outcome: type });
  }
  return [...operations.values()].toSorted((a, b) => a.invokedAt - b.invokedAt);
}

function parseEntry(line: string): Entry | undefined {
  try {
    return line === '' ? undefined : (JSON.parse(line) as Entry);
  } catch {
    return undefined;
  }
}
