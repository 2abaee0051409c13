import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createPluginHost, type PluginHost } from '../plugin-host/plugin-host.ts';
import { PluginTestError } from './plugin-test-error.ts';

export interface TestPlace {
  /** The folder of the plugin's package.json. Without it where the tests were started. */
  readonly folder?: string | URL;
  /** How long a run may take, in ms. To start a thread and to load the code does not count. */
  readonly timeoutMs?: number;
}

/** A host with one plugin, as a coordinator runs it. */
export interface TestHost extends Pick<PluginHost, 'hasValidator' | 'hasSummarizer' | 'validate' | 'summarize'>, AsyncDisposable {
  readonly folder: string;
}

const packageJson = z.object({ name: z.string() });

export async function startTestHost({ folder: given, timeoutMs = 30_000 }: TestPlace): Promise<TestHost> {
  const folder = typeof given === 'string' ? resolve(given) : given === undefined ? process.cwd() : fileURLToPath(given);
  refuseNoPackage(join(folder, 'package.json'));
  const host = await createPluginHost({
    plugins: [folder],
    // Whoever tests it has written it, and trusts it with what it asks for.
    mayRunPrograms: [folder],
    // Of a coordinator that was tried out in it.
    withheld: [join(folder, '.baton')],
    log: { debug() {}, warn() {}, error() {} },
    limits: { threadsMax: 1, memoryMb: 256, timeoutMs, verdictBytesMax: 256 * 1024, startMs: 120_000 },
  });
  // A case that ends its process shall not switch off the plugin for the next.
  host.onSwitchedOff(({ plugin }) => host.switchOn(plugin));
  return { ...host, folder, [Symbol.asyncDispose]: () => host.stop() };
}

function refuseNoPackage(file: string): void {
  try {
    packageJson.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new PluginTestError(
      `${file} is not the package.json of a plugin, with its name. Say where it is: folder: new URL('.', import.meta.url).`,
      { cause },
    );
  }
}
