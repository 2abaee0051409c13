import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ArtifactWithContent } from '@baton/protocol';

interface ArtifactChange {
  readonly what: 'sha256' | 'size in bytes';
  readonly expected: string | number;
  readonly found: string | number;
}

/** What lies at the address of an artifact is not what was stored. `data` names both digests, or both sizes. */
export class ArtifactChangedError extends Error {
  override readonly name = 'ArtifactChangedError';
  readonly data: ArtifactChange & { readonly uri: string };

  constructor(uri: string, change: ArtifactChange) {
    super(`What lies at ${uri} is not what was stored: its ${change.what} is ${change.found}, and should be ${change.expected}.`);
    this.data = { uri, ...change };
  }
}

export interface ReadArtifactOptions {
  readonly signal?: AbortSignal;
  /** Reading ends with an error beyond this. */
  readonly bytesMax?: number;
}

const bytesMaxUsual = 256 * 1024 * 1024;

/**
 * The content of an artifact as bytes: as JSON where it is stored inline, else what lies at its `file:` or `http(s):` address,
 * held against its digest, and against its size where that was told.
 * @throws ArtifactChangedError where it is something else by now
 */
export async function readArtifact(
  { uri, sha256, sizeBytes = 0, content }: Pick<ArtifactWithContent, 'uri' | 'sha256' | 'content'> & { readonly sizeBytes?: number },
  { signal, bytesMax = bytesMaxUsual }: ReadArtifactOptions = {},
): Promise<Buffer> {
  if (uri === undefined) return Buffer.from(JSON.stringify(content ?? null));
  const chunks: Uint8Array[] = [];
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of await open(uri, signal)) {
    bytes += chunk.length;
    // What is longer need not be read to its end; what was stored without its size has 0.
    if (sizeBytes > 0 && bytes > sizeBytes) throw new ArtifactChangedError(uri, { ...size(sizeBytes), found: bytes });
    if (bytes > bytesMax) throw new Error(`What lies at ${uri} has more than ${bytesMax} bytes.`);
    hash.update(chunk);
    chunks.push(chunk);
  }
  if (sizeBytes > 0 && bytes !== sizeBytes) throw new ArtifactChangedError(uri, { ...size(sizeBytes), found: bytes });
  const found = hash.digest('hex');
  if (found !== sha256) throw new ArtifactChangedError(uri, { what: 'sha256', expected: sha256, found });
  return Buffer.concat(chunks);
}

const size = (expected: number) => ({ what: 'size in bytes', expected }) as const;

async function open(uri: string, signal: AbortSignal | undefined): Promise<AsyncIterable<Uint8Array>> {
  const { protocol } = parse(uri);
  if (protocol === 'file:') return createReadStream(fileURLToPath(uri), signal === undefined ? {} : { signal }) as AsyncIterable<Buffer>;
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error(`${uri} cannot be read: only file:, http: and https: can.`);
  const response = await fetch(uri, signal === undefined ? {} : { signal }).catch((cause: unknown) => {
    if (signal?.aborted === true) throw cause;
    // What `fetch` itself says is that it failed; why, stands in its cause.
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw new Error(`${uri} cannot be read: ${reason}.`, { cause });
  });
  if (!response.ok || response.body === null) throw new Error(`${uri} cannot be read: the answer was ${response.status}.`);
  return response.body as AsyncIterable<Uint8Array>;
}

function parse(uri: string): URL {
  try {
    return new URL(uri);
  } catch (cause) {
    throw new Error(`${uri} is no address. Write it as file:///folder/file or https://host/file.`, { cause });
  }
}
