import { docText, literal, openRpc, type OpenRpcMethod, pascalCase, pythonHead, snakeCase } from './python-text.ts';
import { createTypeNames, paramTypeName, reservedWords, type TypeNames } from './python-types.ts';

/** `baton_client/methods.py`: one function per method, grouped by noun. */
export function pythonMethodsModule(): string {
  const types = createTypeNames();
  // `rpc.discover` has no noun; who needs it calls it by name.
  const withNoun = openRpc.methods.filter(({ name }) => name.includes('/'));
  const nouns = Map.groupBy(withNoun, ({ name }) => name.split('/')[0] ?? name);
  const classes = [...nouns].map(([noun, methods]) => nounClass(noun, methods, types)).join('\n\n\n');
  return [
    pythonHead('The methods of the coordinator. Parameters that are None are left out.'),
    'from __future__ import annotations\n',
    'from collections.abc import Awaitable, Callable, Mapping, Sequence',
    `from typing import Any, Final${classes.includes('Literal[') ? ', Literal' : ''}\n`,
    'from . import types as t\n',
    'Call = Callable[[str, Mapping[str, Any]], Awaitable[Any]]\n',
    '#: Sent twice, they have the effect of being sent once.',
    nameSet(
      'IDEMPOTENT',
      openRpc.methods.filter((method) => method['x-idempotent']),
    ),
    '#: They take an idempotency key.',
    nameSet(
      'KEYED',
      openRpc.methods.filter(({ params }) => params.some(({ name }) => name === 'idempotencyKey')),
    ),
    `\n${classes}\n\n`,
    'class Methods:',
    '    """Every method of the coordinator, by noun: `await client.task.claim(max=1)`."""\n',
    '    def __init__(self, call: Call) -> None:',
    ...[...nouns.keys()].map((noun) => `        self.${noun} = ${pascalCase(noun)}Methods(call)`),
    '',
  ].join('\n');
}

const nameSet = (name: string, methods: readonly OpenRpcMethod[]): string =>
  [`${name}: Final = frozenset(`, '    {', ...methods.map((method) => `        ${literal(method.name)},`), '    }', ')\n'].join('\n');

const nounClass = (noun: string, methods: readonly OpenRpcMethod[], types: TypeNames): string =>
  [
    `class ${pascalCase(noun)}Methods:`,
    '    def __init__(self, call: Call) -> None:',
    '        self._call = call',
    ...methods.map((method) => methodFunction(method, types)),
  ].join('\n');

function methodFunction(method: OpenRpcMethod, types: TypeNames): string {
  const { name, params, result } = method;
  const verb = name.split('/')[1] ?? name;
  const resultType = inTypes(types.resultOf(name, result.schema));
  const signature = [...params]
    .sort((a, b) => Number(b.required) - Number(a.required))
    .map((param) => {
      // A sequence: who calls may pass a tuple.
      const type = inTypes(types.typeOf(param.schema, paramTypeName(name, param.name))).replace(/^list\[/, 'Sequence[');
      return `        ${argumentName(param.name)}: ${param.required ? type : `${type} | None = None`},`;
    });
  return [
    '',
    `    async def ${argumentName(verb)}(${signature.length === 0 ? 'self' : ''}`,
    ...(signature.length === 0 ? [] : ['        self,', '        *,', ...signature]),
    `    ) -> ${resultType}:`,
    `        """${describe(method)}"""`,
    `        result: ${resultType} = await self._call(`,
    `            ${literal(name)},`,
    `            {${params.map((param) => `${literal(param.name)}: ${argumentName(param.name)}`).join(', ')}},`,
    '        )',
    '        return result',
  ]
    .join('\n')
    .replace('(self\n    )', '(self)');
}

/** The summary, what the parameters mean and what holds where one is left out, and the errors that are the method's own. */
function describe({ summary, params, errors, ...method }: OpenRpcMethod): string {
  const meanings = params.flatMap(({ name, description, schema }) => {
    const said = [
      ...(description === undefined ? [] : [description.trim()]),
      ...(schema.default === undefined ? [] : [`${JSON.stringify(schema.default)} unless given.`]),
    ];
    return said.length === 0 ? [] : [`\`${argumentName(name)}\`: ${said.join(' ')}`];
  });
  const paragraphs = [
    [summary, ...(method['x-session'] ? ["It belongs to an agent's session."] : [])].join(' '),
    ...(meanings.length === 0 ? [] : [meanings.join('\n')]),
    ...(errors.length === 0 ? [] : [`Raises CoordinatorError: ${errors.map(({ data }) => `\`${data.kind}\``).join(', ')}.`]),
  ];
  const text = docText(paragraphs.join('\n\n').replaceAll(/`[A-Za-z]+`/g, snakeCase));
  return paragraphs.length === 1 ? text : `${text}\n`.replaceAll('\n', '\n        ').replaceAll(/ +\n/g, '\n');
}

const argumentName = (name: string): string => (reservedWords.has(name) ? `${name}_` : snakeCase(name));

const builtIn = new Set(['Any', 'Literal', 'None']);

/** The type as it is called outside of its module. What stands within quotes is no name. */
const inTypes = (type: string): string =>
  type.replaceAll(/'[^']*'|\b[A-Z]\w*/g, (name) => (name.startsWith("'") || builtIn.has(name) ? name : `t.${name}`));
