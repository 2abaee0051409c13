import type { Count, Coverage } from './read-coverage.ts';

type LcovMetric = 'lines' | 'branches' | 'functions';

/** What the records of one file say, of all tests together. */
interface FileRecords {
  /** Whether each line, branch and function was run. */
  readonly parts: Readonly<Record<LcovMetric, Map<string, boolean>>>;
  /** The sums at the end of a record. */
  readonly sums: Partial<Record<LcovMetric, Partial<Count>>>;
}

/** Which part a record tells of, and how often it was run: `DA:4,1`, `BRDA:4,0,1,-`, `FN:3,add`, `FNDA:1,add`. */
const details: Readonly<Record<string, { readonly metric: LcovMetric; readonly form: RegExp }>> = {
  DA: { metric: 'lines', form: /^(?<part>\d+),(?<hits>\d+)/ },
  BRDA: { metric: 'branches', form: /^(?<part>\d+,.*),(?<hits>-|\d+)$/ },
  FN: { metric: 'functions', form: /^\d+,(?:\d+,)?(?<part>.+)$/ },
  FNDA: { metric: 'functions', form: /^(?<hits>\d+),(?<part>.+)$/ },
};
const sums: Readonly<Record<string, readonly [LcovMetric, keyof Count]>> = {
  LF: ['lines', 'total'],
  LH: ['lines', 'covered'],
  BRF: ['branches', 'total'],
  BRH: ['branches', 'covered'],
  FNF: ['functions', 'total'],
  FNH: ['functions', 'covered'],
};

/**
 * The files of an lcov text, as `man geninfo` describes it. Counted is what the records tell line by line, since the same file may
 * come once for each test; the sums (LF, LH …) are taken where nothing else is told, and from the record that covers most.
 */
export function readLcov(text: string): ReadonlyMap<string, Coverage> {
  const files = new Map<string, FileRecords>();
  let current: FileRecords | undefined;
  for (const line of text.split('\n')) {
    const [, record = '', value = ''] = /^([A-Z]+):(.*)$/.exec(line.trim()) ?? [];
    if (record === 'SF') {
      current = files.get(value) ?? { parts: { lines: new Map(), branches: new Map(), functions: new Map() }, sums: {} };
      files.set(value, current);
    } else if (current !== undefined) readRecord(current, record, value);
  }
  return new Map([...files].map(([file, records]) => [file, toCoverage(records)]));
}

function readRecord({ parts, sums: known }: FileRecords, record: string, value: string): void {
  const detail = details[record];
  const { part, hits } = detail?.form.exec(value)?.groups ?? {};
  if (detail !== undefined && part !== undefined) {
    const all = parts[detail.metric];
    all.set(part, all.get(part) === true || Number(hits) > 0);
  }
  const [metric, field] = sums[record] ?? [];
  if (metric === undefined || field === undefined || !/^\d+$/.test(value)) return;
  known[metric] = { ...known[metric], [field]: Math.max(known[metric]?.[field] ?? 0, Number(value)) };
}

function toCoverage({ parts, sums: known }: FileRecords): Coverage {
  const count = (metric: LcovMetric): Count | undefined => {
    const all = [...parts[metric].values()];
    if (all.length > 0) return { total: all.length, covered: all.filter(Boolean).length };
    const { total, covered } = known[metric] ?? {};
    return total === undefined || covered === undefined ? undefined : { total, covered };
  };
  return { lines: count('lines'), branches: count('branches'), functions: count('functions') };
}
