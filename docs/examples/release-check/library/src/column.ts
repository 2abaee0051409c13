import { type Cell, type CellType, detectType } from './cell.ts';
import { compareNatural } from './natural.ts';
import { compareVersions, parseVersion, type Version } from './semver.ts';

export interface Column {
  readonly name: string;
  readonly type: CellType;
}

/** The type that all filled cells of a column have in common; text if they differ. */
export function inferColumn(name: string, texts: readonly string[]): Column {
  const types = new Set(texts.map(detectType));
  types.delete('empty');
  const [type] = types;
  return { name, type: types.size > 1 ? 'text' : (type ?? 'empty') };
}

export function compareCells(type: CellType, a: Cell, b: Cell): number {
  // Empty cells come last, whatever the type.
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (type === 'version') return compareVersions(toVersion(a), toVersion(b));
  return compareNatural(String(a), String(b));
}

const toVersion = (cell: Cell): Version => parseVersion(String(cell)) ?? { major: 0, minor: 0, patch: 0, prerelease: [] };
