import { definePlugin, defineValidator } from '@baton/sdk/plugin';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import canonicalize from 'canonicalize';
import { RE2JS } from 're2js';
import { z } from 'zod';

const jsonSchema = defineValidator({
  name: 'json-schema',
  config: z.strictObject({
    /** The type of the artifacts that are judged. Without one there is nothing to judge. */
    artifact: z.string().min(1),
    /** A JSON Schema of 2020-12, or of draft-07 if it says so. */
    schema: z.record(z.string(), z.unknown()),
  }),
  validate({ config, artifacts, fail, skip }) {
    const validate = compile(config.schema);
    const judged = artifacts.filter(({ type }) => type === config.artifact);
    if (judged.length === 0) skip(`There is no artifact ${config.artifact}.`);
    for (const { name, content, uri } of judged) {
      if (uri !== undefined) fail('artifact_elsewhere', `${config.artifact} "${name}" lies at ${uri} and cannot be looked at.`);
      else if (!validate(content))
        for (const error of validate.errors ?? [])
          fail('schema_violated', `${config.artifact} "${name}": ${toSentence(error)}.`, { path: toPath(error) });
    }
  },
});

/** Patterns take a time that grows with the text alone (RE2): what is judged was written by those who want to pass. */
function compilePattern(pattern: string): RE2JS {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^error parsing regexp: /, '') : String(cause);
    throw new Error(
      `The pattern ${pattern} cannot be used: ${why}. Patterns are RE2: write it without look-ahead, look-behind and back references, and repeat at most 1000 times.`,
      { cause },
    );
  }
}
const regExp = Object.assign(compilePattern, { code: 'require("re2js").RE2JS.compile' });

// Formats are words for people here.
const options = { strict: false, allErrors: true, validateFormats: false, code: { regExp } } as const;

function compile(schema: Record<string, unknown>): ValidateFunction {
  const { $schema } = schema;
  const ajv = typeof $schema === 'string' && $schema.includes('draft-07') ? new Ajv(options) : new Ajv2020(options);
  // The one that comes with Ajv compares each item with each.
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (isWanted: boolean, items: readonly unknown[]) =>
      !isWanted || new Set(items.map((item) => canonicalize(item))).size === items.length,
    error: { message: 'must not have the same item twice' },
  });
  return ajv.compile(schema);
}

const toPath = ({ instancePath }: ErrorObject): string => instancePath.slice(1).replaceAll('/', '.');

function toSentence(error: ErrorObject): string {
  const path = toPath(error);
  const extra: unknown = error.params['additionalProperty'];
  return `${path === '' ? 'it' : path} ${error.message ?? 'does not fit'}${typeof extra === 'string' ? `: ${extra}` : ''}`;
}

export default definePlugin({ name: 'json-schema', apiVersion: 1, validators: [jsonSchema] });
