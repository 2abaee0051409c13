import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

interface Import {
  readonly from: string;
  /** A file of ours relative to the root, or the name of a package. */
  readonly to: string;
  readonly isTypeOnly: boolean;
}

const nouns = [
  'ticket',
  'phase',
  'task',
  'agent',
  'lock',
  'gate',
  'artifact',
  'context',
  'event',
  'project',
  'token',
  'workflow',
  'scheduler',
];

/** Where the source condition of a package leads. */
const packages: Readonly<Record<string, string>> = {
  '@baton/protocol': 'sdk/protocol/src/index.ts',
  '@baton/sdk': 'sdk/src/index.ts',
  '@baton/sdk/connection': 'sdk/src/connection/index.ts',
  '@baton/sdk/plugin': 'sdk/src/plugin/index.ts',
  '@baton/coordinator': 'coordinator/src/coordinator.ts',
};

const files = globSync('{sdk/protocol/src,sdk/src,coordinator/src,coordinator/migrations,plugins/*/src}/**/*.ts', { cwd: root }).filter(
  (file) => !/\.(test|bench)\.ts$/.test(file),
);
const imports = files.flatMap(importsOf);

/** Static imports and re-exports, and `import('…')` with a literal. */
function importsOf(from: string): Import[] {
  const source = readFileSync(join(root, from), 'utf8').replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  const statements = source.matchAll(/^(?:import|export)\s+(?<type>type\s)?(?:[^'";]*?\sfrom\s+)?'(?<to>[^']+)'/gm);
  const dynamic = source.matchAll(/\bimport\(\s*'(?<to>[^']+)'\s*\)/g);
  return [...statements, ...dynamic].map(({ groups }) => ({
    from,
    to: toFile(from, groups?.['to'] ?? ''),
    isTypeOnly: groups?.['type'] !== undefined,
  }));
}

function toFile(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return relative(root, resolve(root, dirname(from), specifier));
  return packages[specifier] ?? specifier;
}

const layerOrder = ['protocol', 'connection and plugin', 'base', 'nouns', 'running parts', 'coordinator', 'commands'] as const;
type Layer = (typeof layerOrder)[number];

/** The layer of a file of ours; a package or what lies outside the layers has none. */
function layerOf(file: string): Layer | undefined {
  if (file.startsWith('sdk/protocol/')) return 'protocol';
  if (/^sdk\/src\/(connection|plugin)\//.test(file)) return 'connection and plugin';
  if (
    /^coordinator\/(src\/(db\/|(call|config|log|metrics|deadline|measure-process|data-folder|refuse-fields)\.ts)|migrations\/)/.test(file)
  )
    return 'base';
  if (nouns.some((noun) => file.startsWith(`coordinator/src/${noun}/`))) return 'nouns';
  if (/^coordinator\/src\/(wire|loops|plugins)\//.test(file)) return 'running parts';
  if (file === 'coordinator/src/coordinator.ts') return 'coordinator';
  if (/^coordinator\/src\/(cli\/|main\.ts)/.test(file)) return 'commands';
  return undefined;
}

const describeImport = ({ from, to }: Import) => `${from} → ${to}`;
const nounOf = (file: string) => nouns.find((noun) => file.startsWith(`coordinator/src/${noun}/`));

describe('imports', () => {
  test('the scanner sees them', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(imports).toContainEqual({ from: 'sdk/protocol/src/define.ts', to: 'sdk/protocol/src/errors.ts', isTypeOnly: true });
  });

  test('lead to files that exist', () => {
    const missing = imports.filter(({ to }) => to.endsWith('.ts') && !to.startsWith('..') && !files.includes(to));

    expect(missing.map(describeImport)).toEqual([]);
  });

  /** The list of entities names all nouns, and a transaction ends by writing its events and which tickets are due. */
  const upwardsOnPurpose = (from: string, to: string) =>
    (from === 'coordinator/src/db/entities.ts' && to.endsWith('.entity.ts')) ||
    (from === 'coordinator/src/db/transaction.ts' &&
      ['coordinator/src/event/event.store.ts', 'coordinator/src/ticket/ticket.store.ts'].includes(to));

  test('point down only', () => {
    // Types of a layer above may say what a part is given.
    const upwards = imports.filter(({ from, to, isTypeOnly }) => {
      const [above, below] = [layerOf(from), layerOf(to)];
      if (above === undefined || below === undefined || isTypeOnly || upwardsOnPurpose(from, to)) return false;
      return layerOrder.indexOf(below) > layerOrder.indexOf(above);
    });

    expect(upwards.map(describeImport)).toEqual([]);
  });

  test('form no cycle', () => {
    expect(findCycle()).toBeUndefined();
  });

  test("never lead from a noun to another noun's rpc", () => {
    const wrong = imports.filter(({ from, to }) => to.endsWith('.rpc.ts') && nounOf(from) !== undefined && nounOf(from) !== nounOf(to));

    expect(wrong.map(describeImport)).toEqual([]);
  });

  test('lead from rpc to service to store to entity, never back', () => {
    const rank = (file: string) => ['.entity.ts', '.store.ts', '.service.ts', '.rpc.ts'].findIndex((suffix) => file.endsWith(suffix));
    const wrong = imports.filter(({ from, to, isTypeOnly }) => !isTypeOnly && rank(from) >= 0 && rank(to) > rank(from));

    expect(wrong.map(describeImport)).toEqual([]);
  });

  test('of wire/ know no noun', () => {
    const wrong = imports.filter(({ from, to }) => from.startsWith('coordinator/src/wire/') && nounOf(to) !== undefined);

    expect(wrong.map(describeImport)).toEqual([]);
  });

  test('of the coordinator name no plugin', () => {
    const wrong = imports.filter(
      ({ from, to }) => from.startsWith('coordinator/') && (to.startsWith('@baton/plugin-') || to.startsWith('plugins/')),
    );

    expect(wrong.map(describeImport)).toEqual([]);
  });

  test("only commands import the SDK's agent part", () => {
    const wrong = imports.filter(
      ({ from, to }) => from.startsWith('coordinator/') && layerOf(from) !== 'commands' && /^sdk\/src\/(index\.ts|agent\/)/.test(to),
    );

    expect(wrong.map(describeImport)).toEqual([]);
  });

  test('of the contract are zod and nothing else', () => {
    const foreign = imports.filter(({ from, to }) => from.startsWith('sdk/protocol/') && !to.startsWith('sdk/protocol/') && to !== 'zod');

    expect(foreign.map(describeImport)).toEqual([]);
  });

  test("of a plugin are the SDK's plugin part, and no other of ours", () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        from.startsWith('plugins/') &&
        /^(sdk|coordinator)\/|^@baton\//.test(to) &&
        !to.startsWith('sdk/src/plugin/') &&
        to !== '@baton/sdk/plugin',
    );

    expect(wrong.map(describeImport)).toEqual([]);
  });

  test('of a published package are declared by it', () => {
    const wrong = imports.filter(({ from, to }) => isPackage(to) && !dependenciesOf(from).has(packageName(to)));

    expect(wrong.map(describeImport)).toEqual([]);
  });
});

describe('sources', () => {
  test('are called after what they hold', () => {
    const vague = files.filter((file) => /(^|\/)(utils?|helpers?|common|misc|base|managers?)(\.ts|\/)/.test(file));

    expect(vague).toEqual([]);
  });

  test('name no machine', () => {
    const wrong = files.filter((file) => /(\/work\/|\/home\/|\/root\/|registry\.npmjs|localhost:4873)/.test(withoutComments(file)));

    expect(wrong).toEqual([]);
  });
});

const withoutComments = (file: string) => readFileSync(join(root, file), 'utf8').replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, '');

const isPackage = (to: string) => !to.startsWith('node:') && !to.endsWith('.ts') && !to.endsWith('.json');
const packageName = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

function dependenciesOf(file: string): Set<string> {
  const folder = file.slice(0, file.search(/\/(src|migrations)\//));
  const {
    name,
    dependencies = {},
    peerDependencies = {},
  } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    name: string;
    dependencies?: object;
    peerDependencies?: object;
  };
  return new Set([name, ...Object.keys({ ...dependencies, ...peerDependencies })]);
}

/** The first circle of imports, type imports aside, as the files along it. */
function findCycle(): string | undefined {
  const targets = Map.groupBy(
    imports.filter(({ isTypeOnly }) => !isTypeOnly),
    ({ from }) => from,
  );
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): string | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file].join(' → ');
    if (done.has(file)) return undefined;
    for (const { to } of targets.get(file) ?? []) {
      const cycle = visit(to, [...way, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of files) {
    const cycle = visit(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
