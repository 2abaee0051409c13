import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from './machine.ts';
import type { Report } from './report.ts';

/** What one run of one bench came to. */
export interface Recorded {
  readonly name: string;
  readonly summary: string;
  readonly recordedOn: string;
  readonly rounds: number;
  readonly sizes: Readonly<Record<string, number>>;
  readonly machine: Machine;
  readonly report: Report;
}

const folder = join(import.meta.dirname, '..', '..', '..', 'docs', 'performance');
const figuresFile = join(folder, 'figures.json');
const pageFile = join(folder, 'README.md');
export const recordedFiles = [figuresFile, pageFile];

/** Between these lines the page is written by `pnpm bench --record`. */
const begin = '<!-- figures: written by `pnpm bench --record` -->';
const end = '<!-- end of figures -->';

/** Keeps the figures, those of other benches as they were, and writes all of them into the page. */
export async function recordFigures(news: readonly Recorded[], toPage: (all: readonly Recorded[]) => string): Promise<void> {
  const known = JSON.parse(await readFile(figuresFile, 'utf8')) as readonly Recorded[];
  const byName = new Map([...known, ...news].map((recorded) => [recorded.name, recorded]));
  const all = [...byName.values()].toSorted((a, b) => a.name.localeCompare(b.name));
  await writeFile(figuresFile, `${JSON.stringify(all, undefined, 2)}\n`);

  const page = await readFile(pageFile, 'utf8');
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${pageFile} has no lines "${begin}" and "${end}".`);
  await writeFile(pageFile, `${before}${begin}\n\n${toPage(all)}\n\n${end}${after}`);
}
