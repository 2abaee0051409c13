import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Narrative, NewContextItemInput } from '@baton/protocol';
import type { Config } from '../../coordinator/src/config.ts';
import { createPluginFixture, writePackage } from '../../sdk/src/plugin-host/plugin-fixture.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { createTicketIn } from './work.ts';

/** Summarizers as others may write them. `asking` gets its words from a server of the test, and so when the test wants. */
const code = `
import { definePlugin, defineSummarizer } from '@baton/sdk/plugin';
import { z } from 'zod';
const config = z.looseObject({});
const linesOf = (items) => items.map(({ text, citation }) => text + ' [' + citation + ']').join('\\n');
const citationsOf = (items) => items.map(({ citation }) => citation);
const summarizers = [
  defineSummarizer({ name: 'forgetful', config, summarize: ({ items }) => {
    const facts = items.filter(({ kind }) => kind === 'fact');
    return { text: linesOf(facts), citations: citationsOf(facts) };
  } }),
  defineSummarizer({ name: 'quoting', config, summarize: ({ config }) => { throw new Error('The key ' + config.secrets.apiKey + ' is not known.'); } }),
  defineSummarizer({ name: 'asking', config, summarize: async ({ config, items, signal }) => {
    const said = await (await fetch(config.url + items.length, { signal })).text();
    return { text: said + ' [' + items[0].citation + ']\\n' + linesOf(items), citations: citationsOf(items) };
  } }),
];
export default definePlugin({ name: 'trial', apiVersion: 1, summarizers });
`;

/** A folder with these summarizers as a plugin. */
export interface SummarizerTrial {
  readonly folder: string;
  /** A coordinator that uses one of them. */
  daemonWith(summarizer: string, config?: Partial<Config>): Promise<Daemon>;
  /** Writes a configuration that nobody else may read. Answers its path. */
  writeConfig(value: object): Promise<string>;
  remove(): Promise<void>;
}

export async function createSummarizerTrial(): Promise<SummarizerTrial> {
  const { folder, remove } = await createPluginFixture();
  const about = { name: 'trial', version: '2.3.4', baton: { apiVersion: 1, summarizers: ['forgetful', 'quoting', 'asking'] } };
  const trial = await writePackage(join(folder, 'trial'), about, code);
  return {
    folder,
    daemonWith: (summarizer, config = {}) => startDaemon({ config: { plugins: [trial], summarizer, ...config } }),
    async writeConfig(value) {
      const file = join(folder, `config-${crypto.randomUUID()}.json`);
      await writeFile(file, JSON.stringify(value));
      await chmod(file, 0o600);
      return file;
    },
    remove,
  };
}

export const constraint: NewContextItemInput = { kind: 'constraint', text: 'Answers within 50 ms.' };
export const fact: NewContextItemInput = { kind: 'fact', text: 'The queue is read in order.' };

interface Notes {
  note(item: NewContextItemInput): Promise<string>;
  summarize(): Promise<Narrative>;
}

/** A ticket in DESIGN, with these items. */
export async function takeNotes({ client }: Daemon, ...items: readonly NewContextItemInput[]): Promise<Notes> {
  const { id: ticketId } = await createTicketIn(client, 'DESIGN');
  const note = async (item: NewContextItemInput) => (await client.context.note({ ticketId, item })).citation;
  for (const item of items) await note(item);
  return { note, summarize: async () => (await client.context.aggregate({ ticketId, phase: 'DESIGN' })).narrative! };
}

/** How many summaries have ended so. */
export async function countRuns({ httpUrl, token }: Daemon, outcome: string): Promise<number> {
  const text = await (await fetch(`${httpUrl}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
  return Number(new RegExp(`baton_summary_duration_seconds_count{.*outcome="${outcome}".*} (\\d+)`).exec(text)?.[1] ?? 0);
}
