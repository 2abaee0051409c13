import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configSchema } from '../../coordinator/src/config.ts';
import { fieldsOf } from './json-type.ts';
import { code, pageHead, table } from './markdown.ts';

const source = join(import.meta.dirname, '..', '..', 'coordinator', 'src', 'config.ts');

/** The reference of all settings. What each is for stands as a comment above it in the schema. */
export async function configurationPage(): Promise<string> {
  const comments = readComments(await readFile(source, 'utf8'));
  const rows = fieldsOf(configSchema).map(({ name, type, byDefault }) => [
    code(name),
    code(toVariable(name)),
    code(type),
    byDefault === undefined ? '' : code(byDefault),
    comments.get(name) ?? '',
  ]);
  return [
    pageHead('Configuration', 'coordinator/src/config.ts'),
    'The command line comes first, then the environment, then the default. Units are in the names.\n',
    table(['setting', 'variable', 'type', 'default', 'meaning'], rows),
    '',
  ].join('\n');
}

const toVariable = (name: string) =>
  name === 'databaseUrl' ? 'DATABASE_URL' : `BATON_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

/** The doc comment before each field. */
function readComments(text: string): Map<string, string> {
  const matches = text.matchAll(/\/\*\*(?<comment>(?:(?!\*\/)[\s\S])*)\*\/\s*\n\s{2}(?<field>\w+):/g);
  return new Map(
    [...matches].map(({ groups }) => [groups?.['field'] ?? '', (groups?.['comment'] ?? '').replaceAll(/^\s*\*\s?/gm, '').trim()]),
  );
}
