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

/** The names of fields whose values are secret, with all that lies in them. */
const secretName = /key|token|secret|password|credential|authorization|headers/i;

/** The same configuration without its secrets, to tell one from another. */
export function withoutSecrets(value: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) =>
      secretName.test(name) ? [] : [[name, isObject(inner) ? withoutSecrets(inner) : inner]],
    ),
  );
}

/** A text in which no secret of a configuration stands any more: providers quote what they refuse. */
export const hideSecrets = (text: string, config: JsonObject): string =>
  listSecrets(config).reduce((hidden, secret) => hidden.replaceAll(secret, '…'), text);

/** Too short to be one: hiding it would hide half of the text. */
const secretCharsMin = 4;

function listSecrets(value: JsonValue, isSecret = false): string[] {
  if (typeof value === 'string') return isSecret && value.length >= secretCharsMin ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((inner: JsonValue) => listSecrets(inner, isSecret));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => listSecrets(inner, isSecret || secretName.test(name)));
}

const isObject = (value: JsonValue): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
