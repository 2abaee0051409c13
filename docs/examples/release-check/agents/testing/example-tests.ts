import { posix } from 'node:path';
import type { Example } from '../project/example.ts';
import type { Promised } from '../project/documentation.ts';
import type { SourceModule } from '../project/source-module.ts';

/** How a test runner spells a test. */
const dialects = {
  node: {
    head: `import assert from 'node:assert/strict';\nimport { test } from 'node:test';\n`,
    equal: (expression: string, value: string) => `assert.deepEqual(${expression}, ${value});`,
    throws: (expression: string, { name, message }: { name: string; message: string }) =>
      `assert.throws(() => ${expression}, { name: ${JSON.stringify(name)}, message: ${JSON.stringify(message)} });`,
  },
  vitest: {
    head: `import { expect, test } from 'vitest';\n`,
    equal: (expression: string, value: string) => `expect(${expression}).toEqual(${value});`,
    throws: (expression: string, { message }: { message: string }) => `expect(() => ${expression}).toThrow(${JSON.stringify(message)});`,
  },
} as const;

export interface ExampleTestOptions {
  readonly dialect: keyof typeof dialects;
  /** Relative to the project, as the paths of the modules are. */
  readonly testFile: string;
  readonly modules: readonly SourceModule[];
  /** Titles of examples that the code does not keep, with what it does instead: written down, not tested. */
  readonly disputed: ReadonlyMap<string, string>;
}

export interface ExampleTests {
  readonly text: string;
  readonly titles: readonly string[];
}

/** A test file that holds a module to every example of its documentation. */
export function writeExampleTests(
  promises: readonly Promised[],
  { dialect, testFile, modules, disputed }: ExampleTestOptions,
): ExampleTests {
  const spell = dialects[dialect];
  const used = new Map<string, Set<string>>();
  const titles: string[] = [];
  const tests = promises.flatMap((promised) => [
    `// ${promised.file}, line ${promised.line}`,
    ...promised.examples.map((example, index) => {
      const title = titleOf(promised.name, index, example);
      titles.push(title);
      const instead = disputed.get(title);
      if (instead !== undefined) return `test.todo(${JSON.stringify(`${title} (${instead})`)});\n`;
      for (const { name, path } of findUsedExports(example, modules)) used.set(path, (used.get(path) ?? new Set()).add(name));
      const { expression, expected } = example;
      const check = expected.kind === 'value' ? spell.equal(expression, expected.code) : spell.throws(expression, expected);
      return `test(${JSON.stringify(title)}, () => {\n${[...example.setup, check].map((line) => `  ${line}`).join('\n')}\n});\n`;
    }),
  ]);
  const imports = [...used]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, names]) => `import { ${[...names].sort().join(', ')} } from '${specifierOf(testFile, path)}';`);
  return { text: `${spell.head}${imports.join('\n')}\n\n${tests.join('\n')}`, titles };
}

/** Long enough to tell one from another on a line of a report. */
const expressionCharactersMax = 60;

function titleOf(name: string, index: number, { expression }: Example): string {
  const words = expression.replaceAll(/\s+/g, ' ');
  return `${name}, documented example ${index + 1}: ${words.length <= expressionCharactersMax ? words : `${words.slice(0, expressionCharactersMax)}…`}`;
}

/** The exports that an example mentions and does not declare itself. */
function findUsedExports({ setup, expression }: Example, modules: readonly SourceModule[]): { name: string; path: string }[] {
  const code = [...setup, expression].join('\n');
  const declared = new Set([...code.matchAll(/\b(?:const|let|var|function|class)\s+([\w$]+)/g)].map(([, name]) => name));
  const words = new Set([...code.matchAll(/(?<![.\w$'"`])[A-Za-z_$][\w$]*/g)].map(([word]) => word));
  return modules.flatMap(({ path, exports }) =>
    exports.filter(({ name, kind }) => kind === 'value' && words.has(name) && !declared.has(name)).map(({ name }) => ({ name, path })),
  );
}

function specifierOf(testFile: string, path: string): string {
  const relative = posix.relative(posix.dirname(testFile), path);
  return relative.startsWith('.') ? relative : `./${relative}`;
}
