import type { Client, ContextItem, ContextPack, ContextReference } from '@baton/protocol';
import type { Command } from 'commander';
import { toNumber } from '../context/citation.ts';
import type { ReadOptions } from './list.ts';
import * as is from './options.ts';
import { CommandError, printLine, type Shell } from './shell.ts';
import { formatTable } from './table.ts';
import { ask, findTarget } from './target.ts';

interface ContextOptions extends ReadOptions {
  readonly phase?: string;
  readonly budget?: number;
  readonly query?: string;
  readonly since?: number | string;
}

export function addContext(program: Command, shell: Shell, end: (exitCode: number) => void): void {
  is.addTargetOptions(
    program
      .command('context')
      .description('Prints what a phase is told of those before it: each line with its citation, then the sources.'),
  )
    .argument('<ticket>', 'the id of the ticket, as listed by `baton tickets`')
    .option('--phase <phase>', 'for which phase (default: the one the ticket is in)')
    .option('--budget <tokens>', 'how long the text may be (default: 4000)', is.parseCount)
    .option('--query <text>', 'what the reader is after: what speaks of it comes first')
    .option('--since <event>', 'only what is new after this event or item, such as 120 or c:17', parseSince)
    .addOption(is.jsonOption('print JSON'))
    .addHelpText(
      'after',
      is.examples('baton context 01997a3e-…', 'baton context 01997a3e-… --phase TESTING --budget 1000 --query "src/cart.ts"'),
    )
    .action(async (ticketId: string, options: ContextOptions) => end(await context(shell, ticketId, options)));
}

/** `baton context`: the pack for a phase, and where its lines come from. */
async function context(
  shell: Shell,
  ticketId: string,
  { phase, budget, query, since, json = false, ...options }: ContextOptions,
): Promise<number> {
  const wanted = { forPhase: phase, budgetTokens: budget, query, since };
  const { pack, sources } = await ask(await findTarget(options, shell.env), async (client) => {
    const pack = await client.context.get({ ticketId, ...wanted });
    return { pack, sources: json ? [] : await findSources(client, pack) };
  });
  if (json) {
    printLine(shell.stdout, JSON.stringify(pack));
    return 0;
  }
  const nothing =
    since === undefined ? `Nothing is known yet for ${pack.forPhase}.` : `Nothing is new for ${pack.forPhase} since ${since}.`;
  printLine(shell.stdout, pack.text === '' ? nothing : pack.text.trimEnd());
  if (sources.length > 0)
    printLine(shell.stdout, `\n${formatTable(['SOURCE', 'PHASE', 'AUTHOR', 'TASK', 'REFERS TO'], sources.map(toRow))}`);
  printLine(shell.stdout, `\n${describePack(pack)}`);
  return 0;
}

/** How many items one call asks for. */
const askedMax = 1_000;

/** The items that the lines of a pack come from, in the order of their citations. */
async function findSources(client: Client, { ticketId, text, phases, own }: ContextPack): Promise<ContextItem[]> {
  const cited = listCited(text);
  const told = [...phases, ...(own === undefined ? [] : [own])].flatMap(({ items }) => items);
  const found = new Map(told.filter(({ citation }) => cited.has(citation)).map((item) => [item.citation, item]));
  // What a task said of itself, its artifacts, what no longer holds and what is told in short stand in the pack as text only.
  const missing = [...cited].filter((citation) => !found.has(citation));
  for (let first = 0; first < missing.length; first += askedMax) {
    const citations = missing.slice(first, first + askedMax);
    let after: string | undefined;
    do {
      const page = await client.context.list({ ticketId, citations, after, limit: askedMax });
      for (const item of page.items) found.set(item.citation, item);
      after = page.next;
    } while (after !== undefined);
  }
  return [...found.values()].toSorted((a, b) => toNumber(a.citation) - toNumber(b.citation));
}

/** The line of an item ends with its citation and phase; other lines have several, or one without a phase. */
function listCited(text: string): Set<string> {
  const lines = text.split('\n').filter((line) => line.startsWith('- '));
  return new Set(
    lines.flatMap((line) => {
      const own = /\[(c:\d{1,9}), [^\]\d][^\]]*\]$/.exec(line)?.[1];
      return own === undefined ? (line.match(/\bc:\d{1,9}\b(?=[^[\]]*\])/g) ?? []) : [own];
    }),
  );
}

const toRow = ({ citation, phase, author, taskId, references }: ContextItem) => [
  citation,
  phase,
  author,
  taskId?.slice(0, 13) ?? '',
  references.map(describeReference).join(', '),
];

const describeReference = ({ kind, value, line, lineEnd }: ContextReference): string => {
  if (kind !== 'file') return `${kind} ${kind === 'artifact' ? value.slice(0, 12) : value}`;
  const lines = [line, lineEnd].filter((each) => each !== undefined);
  return lines.length === 0 ? value : `${value}:${lines.join('-')}`;
};

function describePack({
  tokens,
  budgetTokens,
  counter,
  omitted,
  omittedBeyond,
  notConsidered = 0,
  cut = [],
  cutBeyond,
  asOf,
  digest,
}: ContextPack): string {
  const more = omitted.reduce((sum, each) => sum + each.tokens, omittedBeyond?.tokens ?? 0);
  const count = omitted.length + (omittedBeyond?.items ?? 0);
  const items = count === 1 ? '1 item is' : `${count} items are`;
  const left = count === 0 ? 'nothing is left out' : `${items} left out, which would take ${more} more`;
  const others = notConsidered === 0 ? '' : ` ${notConsidered} more hold and were not considered; \`context/list\` tells them.`;
  return `${tokens} of ${budgetTokens} tokens (${counter}); ${left}.${others}${describeCut(cut, cutBeyond?.items)} As of event ${asOf}, digest ${digest.slice(0, 12)}.`;
}

/** The one that lacks most first. */
function describeCut(cut: NonNullable<ContextPack['cut']>, beyond = 0): string {
  if (cut.length === 0) return '';
  const named = cut.slice(-10).map(({ citation }) => citation);
  const others = cut.length - named.length + beyond;
  const more = others > 0 ? ` and ${others} more` : '';
  return ` Not all is told of ${named.toReversed().join(', ')}${more}; \`context/expand\` tells it.`;
}

function parseSince(text: string): number | string {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  if (/^c:\d{1,9}$/.test(text)) return text;
  throw new CommandError(`--since takes the number of an event or the citation of an item, such as 120 or c:17, and not ${text}.`, {
    exitCode: 2,
  });
}
