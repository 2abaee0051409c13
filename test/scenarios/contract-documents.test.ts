import { existsSync, globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import jsonSchemaSchema from '@json-schema-tools/meta-schema';
import openRpcSchema from '@open-rpc/meta-schema';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';

const require = createRequire(import.meta.url);
const root = join(import.meta.dirname, '..', '..');
const reference = join(root, 'docs', 'reference');
const readDocument = async (name: string): Promise<Document> => JSON.parse(await readFile(join(reference, name), 'utf8')) as Document;

type Schema = Readonly<Record<string, unknown>>;

interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface OpenRpc extends Document {
  readonly methods: readonly MethodObject[];
}

interface MethodObject {
  readonly name: string;
  readonly params: readonly { readonly name: string; readonly required: boolean; readonly schema: Schema }[];
  readonly result: { readonly schema: Schema };
  readonly examples: readonly {
    readonly params: readonly { readonly name: string; readonly value: unknown }[];
    readonly result: { readonly value: unknown };
  }[];
}

// The formats say no more than the patterns beside them; the meta-schemas use words that the strict mode does not know.
const options = { strict: false, validateFormats: false, allErrors: true };

/** What a schema finds wrong. */
function problemsOf(schema: Schema, value: unknown, others: readonly Schema[] = []): readonly string[] {
  const ajv = new Ajv(options);
  for (const other of others) ajv.addSchema(other);
  const validate = ajv.compile(schema);
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** A schema of a document, with what it refers to. */
const withComponents = (document: Document, schema: Schema): Schema => ({ ...schema, components: document.components });

test('the OpenRPC document is one, by the meta-schema of the specification', async () => {
  // What they name as their own `$schema` cannot be loaded, and is what they are.
  const { $schema: _, ...metaSchema } = openRpcSchema as unknown as Schema;
  const { $schema: __, ...schemaOfSchemas } = jsonSchemaSchema as unknown as Schema;
  // It is referred to with and without the slash at its end.
  const twice = ['https://meta.json-schema.tools', 'https://meta.json-schema.tools/'].map(($id) => ({ ...schemaOfSchemas, $id }));

  const problems = problemsOf(metaSchema, await readDocument('openrpc.json'), twice);

  expect(problems).toEqual([]);
});

test('the AsyncAPI document is one, by the schema of the specification', async () => {
  const metaSchema = require('@asyncapi/specs/schemas/3.0.0-without-$id.json') as Schema;

  const problems = problemsOf(metaSchema, await readDocument('asyncapi.json'));

  expect(problems).toEqual([]);
});

test.each(['openrpc.json', 'asyncapi.json'])('everything that %s refers to is in it', async (name) => {
  const document = await readDocument(name);
  const pointers = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, pointer]) => pointer!);
  const find = (pointer: string) =>
    pointer.split('/').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);

  expect(pointers.length).toBeGreaterThan(20);
  expect(pointers.filter((pointer) => find(pointer) === undefined)).toEqual([]);
});

test('the example of every method fits the schemas that the document gives', async () => {
  const document = (await readDocument('openrpc.json')) as OpenRpc;

  const problems = document.methods.flatMap((method) => {
    const [example] = method.examples;
    const required = method.params.filter((param) => param.required).map((param) => param.name);
    const params = {
      type: 'object',
      properties: Object.fromEntries(method.params.map((param) => [param.name, param.schema])),
      required,
      additionalProperties: false,
    };
    const values = Object.fromEntries(example!.params.map((param) => [param.name, param.value]));
    return [
      ...problemsOf(withComponents(document, params), values),
      ...problemsOf(withComponents(document, method.result.schema), example!.result.value),
    ].map((problem) => `${method.name}: ${problem}`);
  });

  expect(problems).toEqual([]);
});

const pages = globSync('docs/{reference,guide}/*.md', { cwd: root });

test.each(pages)('every link of %s leads somewhere', async (page) => {
  const links = [...(await readFile(join(root, page), 'utf8')).matchAll(/\]\((?!https?:)(?<file>[^)#]*)(?:#(?<anchor>[^)]*))?\)/g)];
  const broken = await Promise.all(
    links.map(async ({ groups }) => {
      const target = groups!['file'] === '' ? page : join(dirname(page), groups!['file']!);
      if (!existsSync(join(root, target))) return [target];
      const anchor = groups!['anchor'];
      return anchor === undefined || (await anchorsOf(target)).includes(anchor) ? [] : [`${target}#${anchor}`];
    }),
  );

  expect(broken.flat()).toEqual([]);
});

/** The anchors that GitHub gives the headings of a page: the second of a name has a number. */
async function anchorsOf(page: string): Promise<readonly string[]> {
  const headings = [...(await readFile(join(root, page), 'utf8')).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!);
  const anchors = headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
  return anchors.map((anchor, index) => {
    const earlier = anchors.slice(0, index).filter((other) => other === anchor).length;
    return earlier === 0 ? anchor : `${anchor}-${earlier}`;
  });
}
