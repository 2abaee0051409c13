import { readFile, stat } from 'node:fs/promises';
import type { JsonObject, JsonValue } from '@baton/protocol';
import { z } from 'zod';
import { ConfigError } from './config.ts';

const setting = 'summarizerConfigFile (BATON_SUMMARIZER_CONFIG_FILE)';
const jsonObject = z.record(z.string(), z.json());

/**
 * What the summarizer is given as its configuration: a JSON object in a file that nobody but its owner may read, since keys
 * stand in it. It goes to the summarizer alone, on no command line and in no environment.
 * @throws ConfigError that names the file, and never what is in it
 */
export async function readSummarizerConfig(file: string | undefined): Promise<JsonObject> {
  if (file === undefined) return {};
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) throw new ConfigError(`${setting}: there is no file ${file}.`);
  // Windows keeps who may read a file elsewhere, and shows this mode for every one.
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0)
    throw new ConfigError(`${setting}: others may read ${file}. Keys stand in it: chmod 600 ${file}`);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) throw new ConfigError(`${setting}: ${file} cannot be read.`);
  const read = jsonObject.safeParse(parseJson(text));
  if (!read.success) throw new ConfigError(`${setting}: ${file} is not a JSON object.`);
  return read.data;
}

/** Undefined where it is no JSON. The error of the parser would quote the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The field of a configuration that holds all of its secrets, under whatever names its summarizer knows them. Nothing else is
 * taken for one: a rule that looks at names would miss some and hide others.
 */
const secretsField = 'secrets';

/** The same configuration without its secrets, to tell one from another. */
export const withoutSecrets = ({ [secretsField]: _, ...open }: JsonObject): JsonObject => open;

/** A text in which no secret of a configuration stands any more: providers quote what they refuse. */
export function hideSecrets(text: string, config: JsonObject): string {
  const secrets = listTexts(config[secretsField] ?? null).filter(({ length }) => length >= secretCharsMin);
  // As it is, as it stands in a quoted text, and as it stands in an address.
  const forms = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  // The longest first: of a secret that has another one in it nothing may be left.
  return forms.toSorted((a, b) => b.length - a.length).reduce((hidden, secret) => hidden.replaceAll(secret, '…'), text);
}

/** Too short to be one: hiding it would hide half of the text. */
const secretCharsMin = 4;

function listTexts(value: JsonValue): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inner: JsonValue) => listTexts(inner));
}
