import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture, sampleArtifact, sampleFacts as facts, silentLog as log } from './plugin-fixture.ts';
import { createPluginHost, type PluginHost } from './plugin-host.ts';
import { createEvidenceReader } from './read-evidence.ts';

const limits = { threadsMax: 1, memoryMb: 64, timeoutMs: 60_000, startMs: 60_000, verdictBytesMax: 16_384 };

let fixture: PluginFixture;
let host: PluginHost;
beforeAll(async () => {
  fixture = await createPluginFixture();
  const plugin = await fixture.write('changer', {
    'changes an artifact': `artifacts[0].type = 'other';`,
    'changes its content': `artifacts[0].content.lines.push(9);`,
    'changes the list': `artifacts.reverse();`,
    'changes the facts': `facts.ticket.title = 'other';`,
    tells: `info('shown', JSON.stringify([artifacts[0].type, artifacts[0].content, facts.ticket.title]));`,
  });
  host = await createPluginHost({ plugins: [plugin], log, limits });
});
afterAll(async () => {
  await host.stop();
  await fixture.remove();
});

test.each(['changes an artifact', 'changes its content', 'changes the list', 'changes the facts'])(
  'a validator that %s is an error, and no other sees it',
  async (use) => {
    const shown = { config: {}, artifacts: [sampleArtifact('report', { lines: [1] }), sampleArtifact('report', null)], facts };

    const [changed, told] = await Promise.all([host.validate({ use, ...shown }), host.validate({ use: 'tells', ...shown })]);

    expect(changed).toMatchObject({ outcome: 'error', findings: [{ message: expect.stringMatching(/^TypeError: Cannot/) as string }] });
    expect(told).toMatchObject({ outcome: 'pass', findings: [{ message: JSON.stringify(['report', { lines: [1] }, 'T']) }] });
  },
);

test('evidence is read once for the validators of a gate, and anew for those of another', () => {
  const readEvidence = createEvidenceReader();
  const write = (type: string) => Buffer.from(JSON.stringify({ artifacts: [sampleArtifact(type, null)], facts }));

  const first = readEvidence({ number: 1, bytes: write('report') });
  const again = readEvidence({ number: 1, bytes: write('report') });
  const other = readEvidence({ number: 2, bytes: write('coverage') });

  expect(again).toBe(first);
  expect(other.artifacts).toMatchObject([{ type: 'coverage' }]);
});
