import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { configSchema } from '../../coordinator/src/config.ts';
import { describeLimits, type JsonSchema, typeCell } from './json-type.ts';
import { blocks, code, narrowTable, pageHead } from './markdown.ts';

const source = join(import.meta.dirname, '..', '..', 'coordinator', 'src', 'config.ts');

/** The reference of all settings. What each is for stands as a comment above it in the schema, as do the headings. */
export async function configurationPage(): Promise<string> {
  const schema = z.toJSONSchema(configSchema, { target: 'draft-07', io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const sections = readSections(await readFile(source, 'utf8'));
  return `${blocks(
    pageHead('Configuration', 'coordinator/src/config.ts').trimEnd(),
    'The command line comes first, then the environment, then the default. Units are in the names. A setting that does not fit ends the start with a line that says so.',
    ...sections.map(({ title, remark, fields }) =>
      blocks(
        title === undefined ? '' : `## ${title}`,
        remark,
        narrowTable(
          ['setting', 'variable', 'type', 'limits', 'default', 'meaning'],
          fields.map(({ name, meaning }) => describeSetting(name, meaning, schema.properties?.[name] ?? {})),
        ),
      ),
    ),
  )}\n`;
}

const defaults: Readonly<Record<string, unknown>> = configSchema.parse({});

function describeSetting(name: string, meaning: string, schema: JsonSchema): string[] {
  const byDefault = defaults[name];
  // What is also read from text is no JSON schema's business.
  const type = typeof byDefault === 'boolean' ? code('boolean') : typeCell(schema);
  return [
    code(name),
    code(toVariable(name)),
    type,
    describeLimits(schema),
    byDefault === undefined ? '' : code(JSON.stringify(byDefault)),
    meaning,
  ];
}

const toVariable = (name: string) =>
  name === 'databaseUrl' ? 'DATABASE_URL' : `BATON_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

interface Section {
  readonly title: string | undefined;
  readonly remark: string;
  readonly fields: { readonly name: string; readonly meaning: string }[];
}

/** The fields in the order of the source, each with the comment before it, under the headings that stand between them. */
function readSections(text: string): readonly Section[] {
  const sections: Section[] = [{ title: undefined, remark: '', fields: [] }];
  const body = text.slice(text.indexOf('configSchema = '), text.indexOf('\n});'));
  const lines = /^ {2}\/\/ (?<title>[^.]+)\.(?<remark>.*)$|^(?: {2}\/\*\*(?<comment>(?:(?!\*\/)[\s\S])*)\*\/\n)? {2}(?<name>\w+):/gm;
  for (const { groups } of body.matchAll(lines)) {
    const { title, remark = '', comment = '', name } = groups ?? {};
    if (title !== undefined) sections.push({ title, remark: remark.trim(), fields: [] });
    if (name !== undefined) sections.at(-1)?.fields.push({ name, meaning: comment.replaceAll(/^\s*\*\s?/gm, '').trim() });
  }
  return sections;
}
