import { printLine, type Shell } from './shell.ts';
import { formatTable } from './table.ts';
import type { TargetOptions } from './target.ts';

export interface ReadOptions extends TargetOptions {
  readonly json?: boolean;
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string | undefined;
}

/** Everything that a paged method lists. */
export async function collectPages<T>(fetchPage: (page: { limit: number; after?: string }) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await fetchPage({ limit: 1_000, ...(after === undefined ? {} : { after }) });
    all.push(...items);
    after = next;
  } while (after !== undefined);
  return all;
}

interface ListView<T> {
  readonly list: readonly T[];
  readonly head: readonly string[];
  readonly row: (item: T) => readonly (string | number)[];
  /** What to say of an empty list. */
  readonly none: string;
}

/** Prints a list as a table, or as one JSON array. */
export function printList<T>(shell: Shell, { json = false }: ReadOptions, { list, head, row, none }: ListView<T>): number {
  if (json) printLine(shell.stdout, JSON.stringify(list));
  else printLine(shell.stdout, list.length === 0 ? none : formatTable(head, list.map(row)));
  return 0;
}
