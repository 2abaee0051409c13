import { rename, writeFile } from 'node:fs/promises';
import type { Role, Token } from '@baton/protocol';
import { formatDuration } from '../duration.ts';
import { collectPages, printList, type ReadOptions } from './list.ts';
import { CommandError, printLine, type Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

export interface TokenListOptions extends ReadOptions {
  readonly project?: string;
}

export interface TokenCreateOptions extends TokenListOptions {
  readonly role: Role;
  /** How long the token is accepted, in ms. */
  readonly expires?: number;
  /** The file for the token. */
  readonly out?: string;
}

/** `baton token create`: tells the new token once, or leaves it in a file that `--token-file` reads. */
export async function createToken(
  shell: Shell,
  name: string,
  { role, project, expires, out, json = false, ...options }: TokenCreateOptions,
): Promise<number> {
  const target = await findTarget(options, shell.env);
  const made = await ask(target, (client) =>
    client.token.create({ name, role, ...(project !== undefined && { project }), ...(expires !== undefined && { expiresInMs: expires }) }),
  );
  const { token, ...rest } = made;
  if (out !== undefined) await writeSecret(out, token, made.id);
  if (json) printLine(shell.stdout, JSON.stringify(out === undefined ? made : { ...rest, tokenFile: out }));
  else {
    // Standard output is the token alone, for a pipe; what is to be said about it goes beside.
    printLine(shell.stderr, `${describe(made)} It is told this once; its id is ${made.id}.`);
    printLine(shell.stdout, out ?? token);
  }
  return 0;
}

const describe = ({ name, role, project, expiresInMs }: Token): string =>
  `The token ${name} speaks for the role ${role} in the project ${project}${expiresInMs === undefined ? '' : ` for ${formatDuration(expiresInMs)}`}.`;

async function writeSecret(file: string, token: string, id: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  try {
    await writeFile(draft, `${token}\n`, { mode: 0o600, flag: 'wx' });
    await rename(draft, file);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`The token was made and could not be written: ${why}. Revoke it: baton token revoke ${id}`, { cause });
  }
}

/** `baton token list`: which tokens there are, and whether they are still accepted. */
export async function listTokens(shell: Shell, { project, ...options }: TokenListOptions): Promise<number> {
  const ofProject = project === undefined ? {} : { project };
  const list = await ask(await findTarget(options, shell.env), (client) =>
    collectPages(async (page) => {
      const { tokens: items, next } = await client.token.list({ ...page, ...ofProject });
      return { items, next };
    }),
  );
  return printList(shell, options, {
    list,
    head: ['NAME', 'ROLE', 'PROJECT', 'STATE', 'EXPIRES IN', 'CREATED', 'ID'],
    row: ({ id, name, role, project, state, expiresInMs, createdAt }) => [
      name,
      role,
      project,
      state,
      expiresInMs === undefined ? '' : formatDuration(expiresInMs),
      createdAt,
      id,
    ],
    none: 'There are no tokens.',
  });
}

/** `baton token revoke`: for good. */
export async function revokeToken(shell: Shell, tokenId: string, { json = false, ...options }: TokenListOptions): Promise<number> {
  const token = await ask(await findTarget(options, shell.env), (client) => client.token.revoke({ tokenId }));
  printLine(shell.stdout, json ? JSON.stringify(token) : `The token ${token.name} (${token.role} in ${token.project}) is revoked.`);
  return 0;
}
