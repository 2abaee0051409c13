import type { Readable, Writable } from 'node:stream';

/** One message of the channel between the coordinator and a plugin process: a header in JSON, and bytes that travel as they are. */
export interface Frame {
  readonly header: unknown;
  readonly body: Buffer;
}

export interface FrameBounds {
  readonly headerBytesMax: number;
  readonly bodyBytesMax: number;
}

/** The lengths of the header and of the body, each as an unsigned number of four bytes, the highest first. */
const lengthsBytes = 8;

/** Does not wait until it has gone out. */
export function writeFrame(stream: Writable, header: object, body?: Uint8Array): void {
  const text = JSON.stringify(header);
  const headerBytes = Buffer.byteLength(text);
  const head = Buffer.allocUnsafe(lengthsBytes + headerBytes);
  head.writeUInt32BE(headerBytes, 0);
  head.writeUInt32BE(body?.length ?? 0, 4);
  head.write(text, lengthsBytes);
  stream.cork();
  stream.write(head);
  if (body !== undefined) stream.write(body);
  stream.uncork();
}

/**
 * Reads frames to the end of the stream. Holds no more than one frame and one chunk.
 * @throws where the bytes are no frame, or announce one that is larger than allowed
 */
export async function* readFrames(stream: Readable, bounds?: FrameBounds): AsyncGenerator<Frame> {
  const { push, take } = queueBytes();
  let lengths: { readonly header: number; readonly body: number } | undefined;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    push(chunk);
    for (;;) {
      lengths ??= readLengths(take(lengthsBytes), bounds);
      const whole = lengths && take(lengths.header + lengths.body);
      if (lengths === undefined || whole === undefined) break;
      yield { header: JSON.parse(whole.toString('utf8', 0, lengths.header)), body: whole.subarray(lengths.header) };
      lengths = undefined;
    }
  }
}

function readLengths(bytes: Buffer | undefined, bounds: FrameBounds | undefined) {
  if (bytes === undefined) return undefined;
  const lengths = { header: bytes.readUInt32BE(0), body: bytes.readUInt32BE(4) };
  if (bounds !== undefined && (lengths.header > bounds.headerBytesMax || lengths.body > bounds.bodyBytesMax))
    throw new RangeError(`a message of ${lengths.header} and ${lengths.body} bytes was announced, which is more than allowed`);
  return lengths;
}

/** Bytes as they come, taken in pieces of another size. Each is copied at most once. */
function queueBytes() {
  let chunks: Buffer[] = [];
  let length = 0;
  return {
    push(chunk: Buffer) {
      chunks.push(chunk);
      length += chunk.length;
    },
    /** Undefined as long as there are not so many. */
    take(count: number): Buffer | undefined {
      if (length < count) return undefined;
      const [first] = chunks;
      const all = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length);
      length -= count;
      chunks = length === 0 ? [] : [all.subarray(count)];
      return all.subarray(0, count);
    },
  };
}
