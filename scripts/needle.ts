import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCoordinator } from '@baton/coordinator';
import { connect, readToken } from '@baton/sdk/connection';
import { configSchema } from '../coordinator/src/config.ts';
import { documentedSeed, measureRecall, measureRecallOfFacts, type Recall } from '../test/context/measure.ts';
import { drawRecall } from './pages/recall-chart.ts';
import { recallPage } from './pages/recall.ts';

// `pnpm needle`: takes the notes of the needle benchmark with a coordinator of its own, asks all questions, and writes the table
// and the plot of what came back. `pnpm needle 7` does so for the notes of another seed, and writes nothing.
const docs = join(import.meta.dirname, '..', 'docs', 'context');

async function measure(seed: number): Promise<Recall[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'baton-needle-'));
  const coordinator = await startCoordinator(configSchema.parse({ dataDir, port: 0, logLevel: 'warn' }));
  try {
    const connection = await connect({ url: coordinator.url, token: await readToken({ tokenFile: coordinator.tokenFile }) });
    const recalls = [...(await measureRecall(connection.client, seed)), ...(await measureRecallOfFacts(connection.client, seed))];
    await connection.close();
    return recalls;
  } finally {
    await coordinator.stop();
    await rm(dataDir, { recursive: true });
  }
}

const [given] = process.argv.slice(2);
const recalls = await measure(given === undefined ? documentedSeed : Number(given));
const page = recallPage(recalls);
console.log(page.table);
if (given === undefined) {
  await mkdir(docs, { recursive: true });
  await writeFile(join(docs, 'needle.md'), page.text);
  await writeFile(join(docs, 'needle.svg'), drawRecall(recalls));
  execFileSync('oxfmt', [join(docs, 'needle.md')]);
}
