import { docText, type JsonSchema, literal, openRpc, pascalCase, pythonHead } from './python-text.ts';

/** `baton_client/types.py`: what the methods take and return, as it is on the wire. */
export function pythonTypesModule(): string {
  const names = createTypeNames();
  for (const [name, schema] of Object.entries(openRpc.components.schemas)) names.define(name, schema);
  for (const { name, params, result } of openRpc.methods) {
    names.resultOf(name, result.schema);
    for (const param of params) names.typeOf(param.schema, paramTypeName(name, param.name));
  }
  return [
    pythonHead('What methods take and return, with the names that it has on the wire.'),
    'from __future__ import annotations\n',
    'from typing import Any, Literal, NotRequired, TypeAlias, TypedDict\n',
    ...names.aliases,
    ...names.classes.map((text) => `\n\n${text}`),
    '',
  ].join('\n');
}

/** What an object type inside the parameters of a method is called. */
export const paramTypeName = (method: string, param: string): string => pascalCase(method) + pascalCase(param);

export interface TypeNames {
  /** The definitions of scalar and union types. */
  readonly aliases: readonly string[];
  /** The definitions of object types. */
  readonly classes: readonly string[];
  define(name: string, schema: JsonSchema): void;
  /** What a type is called in Python. An object type that has no name is given this one, and its definition is added. */
  typeOf(schema: JsonSchema, nameIfObject: string): string;
  /** The same for the result of a method; a result without fields is plain JSON. */
  resultOf(method: string, schema: JsonSchema): string;
}

export function createTypeNames(): TypeNames {
  const aliases: string[] = [];
  const classes: string[] = [];

  function define(name: string, schema: JsonSchema): void {
    if (schema.properties !== undefined) defineClass(name, schema);
    else aliases.push(`${name}: TypeAlias = ${quoteUnlessPlain(typeOf(schema, `${name}Value`))}`);
  }

  function defineClass(name: string, { properties = {}, required = [], description }: JsonSchema): void {
    const fields = Object.entries(properties).map(([field, schema]) => {
      const type = typeOf(schema, name + pascalCase(field));
      return { field, type: required.includes(field) ? type : `NotRequired[${type}]`, comment: commentOn(schema) };
    });
    const isPlain = fields.every(({ field }) => /^\w+$/.test(field) && !reservedWords.has(field));
    // A field such as `from` can only be written as text.
    classes.push(
      isPlain
        ? [
            `class ${name}(TypedDict):`,
            ...(description === undefined ? [] : [`    """${docText(description)}"""\n`]),
            ...(fields.length === 0
              ? ['    pass']
              : fields.flatMap(({ field, type, comment }) => [...comment, `${field}: ${type}`]).map((line) => `    ${line}`)),
          ].join('\n')
        : [
            `${name} = TypedDict(`,
            `    ${literal(name)},`,
            '    {',
            ...fields
              .flatMap(({ field, type, comment }) => [...comment, `${literal(field)}: ${literal(type)},`])
              .map((line) => `        ${line}`),
            '    },',
            ')',
          ].join('\n'),
    );
  }

  function typeOf(schema: JsonSchema, nameIfObject: string): string {
    const { $ref, allOf, anyOf, items, properties, additionalProperties: others } = schema;
    if ($ref !== undefined) return $ref.split('/').at(-1) ?? 'Any';
    if (allOf?.length === 1 && allOf[0] !== undefined) return typeOf(allOf[0], nameIfObject);
    const parts = anyOf ?? schema.oneOf;
    if (parts !== undefined) return [...new Set(parts.map((part, index) => typeOf(part, `${nameIfObject}${index + 1}`)))].join(' | ');
    if (schema.enum !== undefined) return `Literal[${schema.enum.map(literal).join(', ')}]`;
    if (schema.const !== undefined) return `Literal[${literal(schema.const)}]`;
    if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type }, nameIfObject)).join(' | ');
    if (schema.type === 'array') return `list[${items === undefined ? 'Any' : typeOf(items, singular(nameIfObject))}]`;
    if (properties !== undefined && Object.keys(properties).length > 0) {
      if (!classes.some((text) => text.startsWith(`class ${nameIfObject}(`))) defineClass(nameIfObject, schema);
      return nameIfObject;
    }
    if (schema.type === 'object') return `dict[str, ${typeof others === 'object' ? typeOf(others, `${nameIfObject}Value`) : 'Any'}]`;
    return scalars[String(schema.type)] ?? 'Any';
  }

  return { aliases, classes, define, typeOf, resultOf: (method, schema) => typeOf(schema, `${pascalCase(method)}Result`) };
}

const scalars: Readonly<Record<string, string>> = { string: 'str', integer: 'int', number: 'float', boolean: 'bool', null: 'None' };

/** https://docs.python.org/3/reference/lexical_analysis.html#keywords */
export const reservedWords: ReadonlySet<string> = new Set(
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield'.split(
    ' ',
  ),
);

// An alias is evaluated where it stands, and what it refers to may come later.
const quoteUnlessPlain = (type: string): string =>
  /^(str|int|float|bool|Any|Literal\[.*\]|dict\[str, Any\])$/.test(type) ? type : literal(type);

/** As documentation tools read it, above what it is about. */
const commentOn = ({ description }: JsonSchema): string[] =>
  description === undefined ? [] : description.split('\n').map((line) => `#: ${line}`);

const singular = (name: string): string => (name.endsWith('s') ? name.slice(0, -1) : `${name}Item`);
