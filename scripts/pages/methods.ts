import { generalErrors, methods, toOpenRpc } from '@baton/protocol';
import { writeExample } from './example.ts';
import { fieldTable, type JsonSchema, receivedTable, typeCell } from './json-type.ts';
import { blocks, code, link, pageHead } from './markdown.ts';

type MethodObject = ReturnType<typeof toOpenRpc>['methods'][number];

/** The reference of all methods, by noun. Written from the OpenRPC document, so that both say the same. */
export function methodsPage(): string {
  const { methods: all } = toOpenRpc(methods, '');
  const nouns = [...Map.groupBy(all, ({ tags }) => tags.map(({ name }) => name).join())];
  return `${blocks(
    pageHead('Methods', '@baton/protocol').trimEnd(),
    intro,
    nouns
      .map(
        ([noun, own]) =>
          `- **${link(noun, '', noun)}**: ${own.map(({ name }) => link(name.split('/').at(-1) ?? name, '', name)).join(' · ')}`,
      )
      .join('\n'),
    ...nouns.map(([noun, own]) => blocks(`## ${noun}`, ...own.map(describeMethod))),
  )}\n`;
}

const intro = `JSON-RPC 2.0 over WebSocket at \`/rpc\` and HTTP \`POST /rpc\`; parameters are one object, and a \`?\` marks what may be left out.
Every method that changes something takes an \`idempotencyKey\` as well: the same key and parameters have one effect and one answer.

The examples tell one story: a bug is reported, an agent mends it, the gate of the phase lets it go. A test lives through it with a running
coordinator. What is said here stands for programs in [openrpc.json](openrpc.json), which a coordinator serves as \`/openrpc.json\` and answers to
\`rpc.discover\`. Named types are in [types.md](types.md), what is told unasked in [events.md](events.md).

Any call may be refused as ${generalErrors.map((kind) => link(code(kind), 'errors.md', kind)).join(', ')}; a method lists what it adds.`;

function describeMethod(method: MethodObject): string {
  const params = method.params.filter(({ name }) => name !== 'idempotencyKey');
  const fields: JsonSchema = {
    properties: Object.fromEntries(
      params.map(({ name, schema, description }) => [name, { ...schema, ...(description !== undefined && { description }) }]),
    ),
    required: params.filter(({ required }) => required).map(({ name }) => name),
  };
  return blocks(
    `### ${method.name}`,
    method.summary,
    describeTraits(method),
    fieldTable(fields, 'parameter'),
    describeResult(method.result.schema),
    method.errors.length === 0
      ? ''
      : `Errors: ${method.errors.map(({ data: { kind } }) => link(code(kind), 'errors.md', kind)).join(', ')}`,
    ...method.examples.map(({ params, result }) => {
      const given = Object.fromEntries(params.map(({ name, value }) => [name, value]));
      return `\`\`\`jsonc\n// ${method.name}\n${writeExample(given)}\n// answers\n${writeExample(result.value)}\n\`\`\``;
    }),
  );
}

function describeTraits(method: MethodObject): string {
  const traits = [
    `${link('Access', 'access.md', 'roles')}: ${code(method['x-access'])}`,
    ...(method['x-session'] ? ["belongs to an agent's session"] : []),
    ...(method['x-idempotent'] ? ['may be repeated without a key'] : []),
  ];
  return `*${traits.join(' · ')}*`;
}

function describeResult(schema: JsonSchema): string {
  const rows = receivedTable(schema, 'result');
  return rows === '' ? `Result: ${typeCell(schema)}` : rows;
}
