import { existsSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture, sampleArtifact, sampleFacts as facts, silentLog } from './plugin-fixture.ts';
import { createPluginHost } from './plugin-host.ts';
import { withhold } from './withheld-places.ts';

const limits = { threadsMax: 1, memoryMb: 64, timeoutMs: 60_000, startMs: 60_000, verdictBytesMax: 65_536 };
const hasBwrap = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'bwrap')));

let fixture: PluginFixture;
let plugin: string;
beforeAll(async () => {
  fixture = await createPluginFixture();
  plugin = await fixture.write('curious', {
    read: `const { readFileSync } = await import('node:fs'); fail('read', readFileSync(artifacts[0].content, 'utf8'));`,
  });
  await mkdir(join(plugin, '.baton', 'store'), { recursive: true });
  await mkdir(join(plugin, 'deep', 'own'), { recursive: true });
  await Promise.all([
    writeFile(join(plugin, '.baton', 'token'), 'secret'),
    writeFile(join(plugin, 'deep', 'key.pem'), 'secret'),
    writeFile(join(plugin, 'deep', 'own', 'words.txt'), 'its own'),
    symlink('.baton', join(plugin, 'shortcut')),
  ]);
});
afterAll(() => fixture.remove());

describe.each(['permissions', ...(hasBwrap ? (['bwrap'] as const) : [])] as const)('under %s', (sandbox) => {
  test('a plugin reads its own folder, but not what the coordinator keeps in it', async () => {
    const host = await createPluginHost({
      plugins: ['.'],
      cwd: plugin,
      sandbox,
      withheld: [join(plugin, '.baton'), join(plugin, 'deep', 'key.pem')],
      log: silentLog,
      limits,
    });
    const read = async (...path: string[]) => {
      const { findings } = await host.validate({
        use: 'read',
        config: {},
        artifacts: [sampleArtifact('file', join(plugin, ...path))],
        facts,
      });
      return findings.map(({ code, message }) => (code === 'read' ? message : code));
    };

    try {
      expect(await read('deep', 'own', 'words.txt')).toEqual(['its own']);
      expect(await read('.baton', 'token')).toEqual(['threw']);
      expect(await read('shortcut', 'token')).toEqual(['threw']);
      expect(await read('deep', 'key.pem')).toEqual(['threw']);
    } finally {
      await host.stop();
    }
  });
});

test('a folder without anything of the kind is taken as it is, and so is a plugin that lies in what is withheld', () => {
  const places = [join(plugin, 'deep') + sep, plugin + sep];

  expect(withhold(places, [join(fixture.folder, 'elsewhere')])).toEqual(places);
  expect(withhold(places, [fixture.folder])).toEqual(places);
});

describe('a plugin does not start', () => {
  const start = (withheld: string) => createPluginHost({ plugins: ['.'], cwd: plugin, withheld: [withheld], log: silentLog, limits });

  test('in the very folder that is withheld', async () => {
    await expect(start(plugin)).rejects.toThrow(`curious: ${plugin}/ is where the coordinator keeps what no plugin may read.`);
  });

  test.each(['*', '.bat*', 'x*y/'])('with a name that Node takes for others: %s', async (name) => {
    const place = join(plugin, name);
    await (name.endsWith('/') ? mkdir(place) : writeFile(place, ''));

    try {
      await expect(start(join(plugin, '.baton'))).rejects.toThrow(`curious: ${place} has a * in its name`);
    } finally {
      await rm(place, { recursive: true });
    }
  });
});
