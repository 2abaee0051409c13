import '../support/leaks.ts';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';

const run = promisify(execFile);
const guide = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'guide', 'scheduling.md'), 'utf8');
const blocks = [...guide.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => ({ language, code: code! }));
const codeOf = (language: string) => blocks.filter((block) => block.language === language).map(({ code }) => code);

/** The code of the guide as it stands, but for where the coordinator is. */
const placed = (code: string, { httpUrl }: Daemon, tokenFile: string) =>
  code.replaceAll('http://127.0.0.1:4766', httpUrl).replaceAll('.baton/token', tokenFile);

test('what the guide submits with the SDK is submitted', async () => {
  await using daemon = await startDaemon();
  // Below this folder, so that the packages of the workspace are found as they are by someone who installed them.
  const folder = await mkdtemp(join(import.meta.dirname, 'scheduling-'));
  const file = join(folder, 'plan-release.ts');
  await writeFile(file, placed(codeOf('ts')[0]!, daemon, daemon.tokenFile));

  try {
    const { stdout } = await run(process.execPath, ['--conditions=source', file]);

    expect(stdout).toBe('notes ready\nreview blocked\nannounce ready\nlook ready\n');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the commands with curl are answered as the guide says', async () => {
  await using daemon = await startDaemon();
  await daemon.connectAgent({ name: 'scribe', capabilities: ['write'] });

  const { stdout } = await run('sh', ['-euc', placed(codeOf('sh').join('\n'), daemon, `'${daemon.tokenFile}'`)]);

  const answers = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => (JSON.parse(line) as { result: unknown }).result);
  const notes = { ref: 'notes' };
  const [, , ready, able, graph, explained, assigned] = answers;
  expect([ready, able]).toMatchObject([{ tasks: [notes] }, { tasks: [notes] }]);
  expect(graph).toMatchObject({
    tasks: [
      { ref: 'announce', isReady: false },
      { ref: 'look', isReady: false },
      { ref: 'notes', isReady: true },
      { ref: 'review', isReady: false },
    ],
  });
  expect(explained).toMatchObject({ obstacles: [{ code: 'nobody_asks' }], agents: [{ agentName: 'scribe' }] });
  expect(assigned).toMatchObject({ assignments: [{ agentName: 'scribe' }], passedOver: [] });
});
