import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createPluginFixture, sampleArtifact, sampleFacts } from '../../../sdk/src/plugin-host/plugin-fixture.ts';
import { configSchema } from '../config.ts';
import { createLog } from '../log.ts';
import { openPlugins } from './open-plugins.ts';

test('a plugin reads nothing of what its coordinator keeps in its folder', async () => {
  await using fixture = await createPluginFixture();
  const folder = await fixture.write('curious', {
    read: `const { readFileSync } = await import('node:fs'); fail('read', readFileSync(artifacts[0].content, 'utf8'));`,
  });
  const place = (name: string) => join(folder, name);
  await mkdir(place('.baton'));
  await Promise.all(
    ['.baton/token', 'key.pem', 'summarizers.yaml', 'words.txt'].map((name) => writeFile(place(name), `What is in ${name}.`)),
  );
  const settings = { dataDir: place('.baton'), tlsKey: place('key.pem'), summarizerConfigFile: place('summarizers.yaml') };
  const config = configSchema.parse({ ...settings, tlsCert: place('cert.pem'), plugins: [folder], logLevel: 'silent' });
  const host = await openPlugins(config, createLog(config), { recordValidator() {} });
  const read = async (name: string) => {
    const { findings } = await host.validate({
      use: 'read',
      config: {},
      artifacts: [sampleArtifact('file', place(name))],
      facts: sampleFacts,
    });
    return findings.map(({ code, message }) => (code === 'read' ? message : code));
  };

  try {
    expect(await read('words.txt')).toEqual(['What is in words.txt.']);
    expect([await read('.baton/token'), await read('key.pem'), await read('summarizers.yaml')]).toEqual([['threw'], ['threw'], ['threw']]);
  } finally {
    await host.stop();
  }
});
