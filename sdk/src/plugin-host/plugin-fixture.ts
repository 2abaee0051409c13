import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ArtifactWithContent, JsonValue } from '@baton/protocol';
import type { GateFacts } from '../plugin/index.ts';
import type { PluginLog } from './plugin-log.ts';

const ownFolder = dirname(fileURLToPath(import.meta.resolve('../../package.json')));

export interface PluginFixture {
  readonly folder: string;
  /** Writes a plugin package whose validators are given by the bodies of their functions. Returns its path. */
  write(name: string, validators: Readonly<Record<string, string>>): Promise<string>;
  remove(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A folder for plugins of a test, from which the SDK can be imported as from an installed project. */
export async function createPluginFixture(): Promise<PluginFixture> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'baton plugins ')));
  await mkdir(join(folder, 'node_modules', '@baton'), { recursive: true });
  await symlink(ownFolder, join(folder, 'node_modules', '@baton', 'sdk'));
  await symlink(join(ownFolder, 'node_modules', 'zod'), join(folder, 'node_modules', 'zod'));
  const remove = () => rm(folder, { recursive: true, force: true });
  return {
    folder,
    async write(name, validators) {
      const names = Object.keys(validators);
      const code = [
        `import { definePlugin, defineValidator } from '@baton/sdk/plugin';`,
        `import { z } from 'zod';`,
        `const validators = [${names.map((one) => `defineValidator({ name: '${one}', config: z.object({}), async validate({ artifacts, facts, signal, fail, warn, info, skip }) { ${validators[one] ?? ''} } })`).join(',\n')}];`,
        `export default definePlugin({ name: '${name}', apiVersion: 1, validators });`,
      ];
      return writePackage(join(folder, name), { name, baton: { apiVersion: 1, validators: names, summarizers: [] } }, code.join('\n'));
    },
    remove,
    [Symbol.asyncDispose]: remove,
  };
}

/** Returns the folder. */
export async function writePackage(folder: string, about: object, code: string, entry = 'index.mjs'): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ version: '1.0.0', type: 'module', exports: `./${entry}`, ...about }));
  await writeFile(join(folder, entry), code);
  return folder;
}

const at = '2026-01-01T00:00:00.000Z';
const ticketId = '0197f000-0000-7000-8000-000000000001';
const visit = { phase: 'TESTING', visit: 1 };

export const sampleFacts: GateFacts = {
  ...visit,
  ticket: {
    ...visit,
    id: ticketId,
    title: 'T',
    priority: 'MEDIUM',
    workflow: { name: 'w', version: 1 },
    state: 'open',
    metadata: {},
    createdAt: at,
    updatedAt: at,
    version: 1,
  },
  tasks: [],
  attempts: [],
  replaced: [],
};

export const sampleArtifact = (type: string, content: JsonValue): ArtifactWithContent => ({
  ...visit,
  id: '0197f000-0000-7000-8000-000000000002',
  ticketId,
  type,
  name: 'default',
  version: 1,
  mediaType: 'application/json',
  sha256: '0'.repeat(64),
  sizeBytes: 2,
  author: 'a',
  token: 'a',
  createdAt: at,
  content,
});

export const silentLog: PluginLog = { debug() {}, warn() {}, error() {} };
