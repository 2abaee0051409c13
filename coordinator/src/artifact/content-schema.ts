import type { JsonObject, JsonValue } from '@baton/protocol';
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import canonicalize from 'canonicalize';
import { RE2JS } from 're2js';

// Runs in the thread that checks artifacts, too: it may import no more of ours.

/** A field that does not fit, in the form of the contract. */
export interface SchemaFault {
  readonly path: string;
  readonly message: string;
  /** A field that may not be there, beside those that may. */
  readonly extra?: { readonly property: string; readonly known: readonly string[] };
}

const compilePattern = (pattern: string): RE2JS => RE2JS.compile(RE2JS.translateRegExp(pattern));

/** Patterns take a time that grows with the text alone (RE2), whatever whoever wrote them has thought of. */
const regExp = Object.assign(compilePattern, { code: 'require("re2js").RE2JS.compile' });

// Formats are words for people here. All faults are told at once; the thread has its limits for whoever asks for too many.
const options: Options = { strict: false, allErrors: true, validateFormats: false, verbose: true, code: { regExp } };

/** A schema that says `$schema: draft-07` is read as that. */
export function compileSchema(schema: JsonObject): ValidateFunction {
  const { $schema } = schema;
  const ajv = typeof $schema === 'string' && $schema.includes('draft-07') ? new Ajv(options) : new Ajv2020(options);
  // The one that comes with Ajv compares each item with each.
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (isWanted: boolean, items: JsonValue[]) =>
      !isWanted || new Set(items.map((item) => canonicalize(item))).size === items.length,
    error: { message: 'must not have the same item twice' },
  });
  return ajv.compile(schema);
}

/** What does not fit, with its places; empty for content that fits. */
export const findContentFaults = (validate: ValidateFunction, content: JsonValue): SchemaFault[] =>
  validate(content) ? [] : (validate.errors ?? []).slice(0, faultsMax).map(toFault);

/** How many faults of one artifact are told. */
const faultsMax = 20;

function toFault({ instancePath, message = 'does not fit', params, keyword, parentSchema }: ErrorObject): SchemaFault {
  const path = `content${instancePath.replaceAll('/', '.')}`;
  if (keyword === 'enum')
    return {
      path,
      message: `${message}: ${JSON.stringify(params['allowedValues'])
        .slice(0, allowedCharsMax)
        .replace(/\p{Surrogate}$/u, '')}`,
    };
  if (keyword !== 'additionalProperties') return { path, message };
  const property = String(params['additionalProperty']);
  return { path, message: `${message}: ${property}`, extra: { property, known: Object.keys(Object(parentSchema?.['properties'])) } };
}

/** How much of the values is told that a field may have. */
const allowedCharsMax = 500;

/** Larger ones take long to compile. */
const schemaBytesMax = 64 * 1024;

/** What is wrong with a schema, each with its path below the schema; empty for one that content can be held against. */
export function findSchemaFaults(schema: JsonObject): SchemaFault[] {
  const bytes = Buffer.byteLength(JSON.stringify(schema));
  if (bytes > schemaBytesMax)
    return [{ path: '', message: `It has ${bytes} bytes and may have ${schemaBytesMax}: name only what the evidence must fulfil.` }];
  const patterns = findPatternFaults(schema, '');
  if (patterns.length > 0) return patterns;
  try {
    compileSchema(schema);
    return [];
  } catch (error) {
    return [{ path: '', message: `This is no JSON Schema: ${error instanceof Error ? error.message : String(error)}.` }];
  }
}

/** What stands below these is data and no schema. */
const plainKeywords = ['const', 'enum', 'default', 'examples'];

function findPatternFaults(value: JsonValue, path: string): SchemaFault[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => findPatternFaults(item, `${path}[${index}]`));
  return Object.entries(value).flatMap(([key, below]) => {
    if (plainKeywords.includes(key)) return [];
    const place = `${path}.${key}`;
    if (key === 'pattern' && typeof below === 'string') return judgePattern(below, place);
    const keys = key === 'patternProperties' && typeof below === 'object' && below !== null ? Object.keys(below) : [];
    return [...keys.flatMap((pattern) => judgePattern(pattern, place)), ...findPatternFaults(below, place)];
  });
}

function judgePattern(pattern: string, path: string): SchemaFault[] {
  const message = findPatternFault(pattern);
  return message === undefined ? [] : [{ path, message }];
}

/** Why a pattern cannot be used, in a schema or in a criterion; undefined where it can. */
export function findPatternFault(pattern: string): string | undefined {
  try {
    compilePattern(pattern);
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    return `The pattern ${pattern} cannot be used: ${why}. Patterns are RE2: write it without look-ahead, look-behind and back references, and repeat at most 1000 times.`;
  }
}
