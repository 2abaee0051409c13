import { isDeepStrictEqual } from 'node:util';
import type { Manifest } from '../project/manifest.ts';
import { stringsIn } from '../project/manifest.ts';

/** What the project says elsewhere and its package.json does not. */
export interface ManifestSources {
  readonly changelog: string | undefined;
  readonly license: string | undefined;
}

export interface ManifestAddition {
  readonly field: 'version' | 'license' | 'files';
  readonly value: string | readonly string[];
  /** Where it was found. */
  readonly source: string;
}

/** The fields that a publishable package.json needs and that can be told from the project itself. */
export function findManifestAdditions(manifest: Manifest, { changelog, license }: ManifestSources): ManifestAddition[] {
  const [, version] = /^##\s+\[?v?(\d+\.\d+\.\d+[^\s\]]*)/m.exec(changelog ?? '') ?? [];
  const [, spdx] = /SPDX-License-Identifier:\s*(\S+)/.exec(license ?? '') ?? [];
  const folders = [
    ...new Set(stringsIn(manifest.exports ?? manifest.main ?? '').flatMap((path) => /^(?:\.\/)?([^./][^/]*)\//.exec(path)?.[1] ?? [])),
  ].sort();
  return [
    ...(manifest.version === undefined && version !== undefined
      ? [{ field: 'version', value: version, source: 'the newest heading of CHANGELOG.md' } as const]
      : []),
    ...(manifest.license === undefined && spdx !== undefined
      ? [{ field: 'license', value: spdx, source: 'the SPDX identifier in LICENSE' } as const]
      : []),
    ...(manifest.files === undefined && folders.length > 0
      ? [{ field: 'files', value: folders, source: 'the folders that "exports" points to' } as const]
      : []),
  ];
}

/** The required fields of a manifest that it does not have. */
export const missingFields = (manifest: Manifest): string[] =>
  (['name', 'version', 'license', 'files'] as const).filter((field) => manifest[field] === undefined);

/** New fields stand behind the name and the description, where readers expect them; the rest stays as it is written. */
export function addFields(text: string, additions: readonly ManifestAddition[]): string {
  const lines = text.split('\n');
  const at = Math.max(
    ...['name', 'description'].map((field) => lines.findIndex((line) => line.startsWith(`  "${field}": `) && line.endsWith(','))),
  );
  const expected = { ...(JSON.parse(text) as object), ...Object.fromEntries(additions.map(({ field, value }) => [field, value])) };
  const added = additions.map(
    ({ field, value }) =>
      `  "${field}": ${typeof value === 'string' ? JSON.stringify(value) : `[${value.map((item) => JSON.stringify(item)).join(', ')}]`},`,
  );
  const edited = [...lines.slice(0, at + 1), ...added, ...lines.slice(at + 1)].join('\n');
  // A file that is laid out in another way is written anew.
  return at !== -1 && isDeepStrictEqual(JSON.parse(edited), expected) ? edited : `${JSON.stringify(expected, null, 2)}\n`;
}
