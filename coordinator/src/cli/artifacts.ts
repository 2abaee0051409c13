import { writeFile } from 'node:fs/promises';
import { readArtifact } from '@baton/sdk';
import { collectPages, printList, type ReadOptions } from './list.ts';
import { CommandError, printLine, type Shell } from './shell.ts';
import { showControls } from './show-controls.ts';
import { ask, findTarget } from './target.ts';

export interface ArtifactListOptions extends ReadOptions {
  readonly current?: boolean;
}

/** `baton artifacts`: the evidence of a ticket, oldest first. */
export async function artifacts(shell: Shell, ticketId: string, { current = false, ...options }: ArtifactListOptions): Promise<number> {
  const list = await ask(await findTarget(options, shell.env), (client) =>
    collectPages(async (page) => {
      const { artifacts: items, next } = await client.artifact.list({ ...page, ticketId, current });
      return { items, next };
    }),
  );
  return printList(shell, options, {
    list,
    head: ['ID', 'PHASE', 'VISIT', 'TYPE', 'NAME', 'VERSION', 'BYTES', 'SHA256', 'AUTHOR'],
    row: ({ id, phase, visit, type, name, version, sizeBytes, sha256, author }) => [
      id,
      phase,
      visit,
      type,
      name,
      version,
      sizeBytes,
      sha256.slice(0, 12),
      author,
    ],
    none: 'There are no artifacts.',
  });
}

export interface ArtifactOptions extends ReadOptions {
  readonly out?: string;
}

/** `baton artifact`: the content of one, held against its digest where it lies elsewhere. Exact, but for what a terminal would obey. */
export async function artifact(shell: Shell, artifactId: string, { out, json = false, ...options }: ArtifactOptions): Promise<number> {
  const found = await ask(await findTarget(options, shell.env), (client) => client.artifact.get({ artifactId }));
  if (json) {
    printLine(shell.stdout, JSON.stringify(found));
    return 0;
  }
  const bytes = await readArtifact(found).catch((cause: unknown) => {
    throw new CommandError(cause instanceof Error ? cause.message : String(cause), { cause });
  });
  if (out === undefined) shell.stdout.write(shell.stdout.isTTY === true ? showControls(bytes.toString()) : bytes);
  else {
    await writeFile(out, bytes).catch((cause: unknown) => {
      throw new CommandError(`${out} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    });
    printLine(shell.stderr, `${found.type} "${found.name}" version ${found.version}, ${bytes.length} bytes, is in ${out}.`);
  }
  return 0;
}
