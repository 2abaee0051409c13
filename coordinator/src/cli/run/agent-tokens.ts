import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, CoordinatorError } from '@baton/protocol';

/** Tokens for the agents of one run; disposing of them takes them back. */
export interface AgentTokens extends AsyncDisposable {
  /** The files in which they lie, by the names of the agents; none where there is only the caller's own. */
  readonly files: ReadonlyMap<string, string>;
}

/** The run takes them back when it ends; one that is killed cannot. */
const expiresInMs = 30 * 86_400_000;

/**
 * Gives each agent of a run a token of its own under its name: what one has made another may approve or review, and so may
 * whoever started the run. Only an admin can; without that the agents use the caller's token, and count as one with it.
 */
export async function giveAgentsTokens(client: Client, names: readonly string[], runFolder: string): Promise<AgentTokens> {
  const folder = join(runFolder, 'tokens');
  const files = new Map<string, string>();
  const ids: string[] = [];
  const revoke = async () => {
    await rm(folder, { recursive: true, force: true });
    // Where the coordinator is gone, what ended the run is to be told, and not this: they expire.
    await Promise.allSettled(ids.splice(0).map((tokenId) => client.token.revoke({ tokenId })));
  };
  try {
    for (const name of names) {
      const made = await client.token.create({ name, role: 'agent', expiresInMs });
      ids.push(made.id);
      const file = join(folder, `${ids.length}.token`);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(file, `${made.token}\n`, { mode: 0o600 });
      files.set(name, file);
    }
  } catch (error) {
    await revoke();
    if (!(error instanceof CoordinatorError) || error.kind !== 'access_denied') throw error;
    files.clear();
  }
  return { files, [Symbol.asyncDispose]: revoke };
}
