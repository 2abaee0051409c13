import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';

export interface BenchCommand {
  /** The names of the chosen benches; none where only the usage is wanted. */
  readonly chosen: readonly string[];
  readonly runs: number;
  /** The sizes that were given; the others are the standard ones. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly json: boolean;
  readonly record: boolean;
  readonly profile: string | undefined;
}

/** Reads the arguments of `pnpm bench`. What is wrong with them is told as one line. */
export function readCommand(args: readonly string[], benches: ReadonlyMap<string, Bench>): BenchCommand | { readonly mistake: string } {
  const settings = [...new Set([...benches.values()].flatMap((bench) => Object.keys(bench.settings)))];
  const parsed = parse(args, settings);
  if (typeof parsed === 'string') return { mistake: parsed };
  const { values, positionals } = parsed;
  const given: Readonly<Record<string, string | boolean | undefined>> = values;

  const unknown = positionals.filter((name) => name !== 'all' && !benches.has(name));
  if (unknown.length > 0) return { mistake: `There is no bench ${unknown.join(', ')}.` };
  const chosen = positionals.includes('all') ? [...benches.keys()] : positionals;
  const known = new Set(chosen.flatMap((name) => Object.keys(benches.get(name)?.settings ?? {})));
  const counts = new Map<string, number>();
  for (const name of ['runs', ...settings]) {
    const text = given[name];
    if (typeof text !== 'string') continue;
    if (!/^[1-9]\d{0,8}$/.test(text)) return { mistake: `--${name} ${text}: expected a whole number of at least 1.` };
    if (name !== 'runs' && chosen.length > 0 && !known.has(name)) return { mistake: `--${name} is no setting of ${chosen.join(', ')}.` };
    counts.set(name, Number(text));
  }
  const { runs = 5, ...sizes } = Object.fromEntries(counts);
  return {
    chosen: values.help ? [] : chosen,
    runs,
    sizes,
    json: values.json,
    record: values.record,
    profile: values.profile,
  };
}

function parse(args: readonly string[], settings: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...Object.fromEntries(settings.map((name) => [name, { type: 'string' as const }])),
        help: { type: 'boolean', short: 'h', default: false },
        runs: { type: 'string' },
        json: { type: 'boolean', default: false },
        record: { type: 'boolean', default: false },
        profile: { type: 'string' },
      },
    });
  } catch (error) {
    // Node says in its first sentence which option is meant; what follows is about arguments that begin with a dash.
    if (error instanceof TypeError) return `${error.message.split(/[.\n]/, 1)[0] ?? error.message}.`;
    throw error;
  }
}
