import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, CoordinatorError, createClient } from '@baton/protocol';
import { callOverHttp, ConnectionError, toHttpUrl, toSocketUrl } from '@baton/sdk/connection';
import { z } from 'zod';
import { readConfig } from '../config.ts';
import { CommandError } from './shell.ts';

/** Which coordinator a command speaks to, as its options say. */
export interface TargetOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  /** A data folder: the coordinator that has it open says there where it listens. */
  readonly data?: string;
}

export interface Target {
  readonly url: string;
  readonly httpUrl: string;
  readonly tokenFile: string;
}

const coordinatorFile = z.object({ url: z.string(), httpUrl: z.string(), tokenFile: z.string(), pid: z.int() });

/** What the coordinator of a data folder says of itself; undefined where none runs there. */
export async function findCoordinator(dataDir: string): Promise<z.infer<typeof coordinatorFile> | undefined> {
  try {
    return coordinatorFile.parse(JSON.parse(await readFile(join(dataDir, 'coordinator.json'), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Where the coordinator is: what the options say, then what its data folder says, then the usual address. */
export async function findTarget({ url, tokenFile, data }: TargetOptions, env: NodeJS.ProcessEnv): Promise<Target> {
  const { dataDir, host, port } = readConfig({ dataDir: data }, env);
  const running = await findCoordinator(dataDir);
  const address = url ?? env['BATON_URL'] ?? running?.httpUrl ?? `http://${host}:${port}`;
  return {
    ...parseAddress(address),
    tokenFile: tokenFile ?? env['BATON_TOKEN_FILE'] ?? running?.tokenFile ?? join(dataDir, 'token'),
  };
}

function parseAddress(address: string): Pick<Target, 'url' | 'httpUrl'> {
  try {
    // As people write it: the usual path goes without saying.
    return { url: toSocketUrl(address), httpUrl: toHttpUrl(address).replace(/\/rpc$/, '') };
  } catch (cause) {
    throw new CommandError(`--url: ${address} is not the address of a coordinator. Write it as http://127.0.0.1:4766.`, {
      exitCode: 2,
      cause,
    });
  }
}

/** Asks a coordinator over HTTP; what goes wrong is explained for a person. */
export async function ask<T>(target: Target, question: (client: Client) => Promise<T>): Promise<T> {
  try {
    return await question(createClient(callOverHttp({ url: target.httpUrl, tokenFile: target.tokenFile })));
  } catch (error) {
    throw explainRefusal(error, target);
  }
}

/** Says in one line why a coordinator could not be asked and what to do about it. */
export function explainRefusal(error: unknown, { httpUrl, tokenFile }: Target): unknown {
  if (error instanceof ConnectionError && error.failure === 'untrusted') return new CommandError(error.message, { cause: error });
  if (error instanceof ConnectionError) {
    return new CommandError(`No coordinator answers at ${httpUrl}. Start one with \`baton up\`, or say with --url or --data where it is.`, {
      cause: error,
    });
  }
  if (!(error instanceof CoordinatorError)) return error;
  if (error.kind === 'unauthenticated') return new CommandError(explainToken(error, { httpUrl, tokenFile }), { cause: error });
  return new CommandError(describeRefusal(error), { cause: error });
}

function explainToken(
  { cause, data: { tokenFile: named, message } }: CoordinatorError,
  { httpUrl, tokenFile }: Pick<Target, 'httpUrl' | 'tokenFile'>,
) {
  const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  if (isMissing)
    return `There is no token file ${tokenFile}. Start a coordinator with \`baton up\`, or name the token file of a running one with --token-file or its data folder with --data.`;
  if (cause instanceof Error) return `The token file ${tokenFile} cannot be read: ${cause.message}`;
  // Said of the file, before anybody was asked.
  if (named !== undefined) return String(message);
  return `The token in ${tokenFile} does not fit the coordinator at ${httpUrl}. Name the right file with --token-file; \`baton up\` says where it lies.`;
}

function describeRefusal({ message, kind, data }: CoordinatorError): string {
  const fields = z.array(z.object({ path: z.string(), message: z.string() })).safeParse(data['fields']).data ?? [];
  return [`The coordinator refused (${kind}): ${message}`, ...fields.map((field) => `  ${field.path}: ${field.message}`)].join('\n');
}
