import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { type Frame, readFrames, writeFrame } from './frames.ts';

async function toBytes(write: (stream: PassThrough) => void): Promise<Buffer> {
  const stream = new PassThrough({ highWaterMark: 1_000_000 });
  write(stream);
  stream.end();
  await once(stream, 'readable');
  return stream.read() as Buffer;
}

const inChunksOf = (bytes: Buffer, size: number) =>
  Readable.from(Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size)));

async function readAll(stream: Readable, bounds = { headerBytesMax: 100, bodyBytesMax: 1_000 }) {
  const read: Frame[] = [];
  for await (const frame of readFrames(stream, bounds)) read.push(frame);
  return read.map(({ header, body }) => ({ header, body: body.toString() }));
}

test.each([1, 3, 8, 1_000])('frames arrive as they were sent, in chunks of %i bytes', async (size) => {
  const bytes = await toBytes((stream) => {
    writeFrame(stream, { id: 'ü' }, Buffer.from('a body'));
    writeFrame(stream, { id: 2 });
    writeFrame(stream, {}, Buffer.from('ß'.repeat(300)));
  });

  expect(await readAll(inChunksOf(bytes, size))).toEqual([
    { header: { id: 'ü' }, body: 'a body' },
    { header: { id: 2 }, body: '' },
    { header: {}, body: 'ß'.repeat(300) },
  ]);
});

test.each([
  ['a header that is larger than allowed', Buffer.from('0000006500000000', 'hex')],
  ['a body that is larger than allowed', Buffer.from('00000002000003e9', 'hex')],
  ['a length of 4 GiB', Buffer.alloc(8, 0xff)],
])('%s is refused as soon as it is announced', async (_, bytes) => {
  const stream = new PassThrough();
  stream.write(bytes);

  await expect(readAll(stream)).rejects.toThrow('which is more than allowed');
});

test('a header that is no JSON is refused', async () => {
  const bytes = await toBytes((stream) => writeFrame(stream, { id: 1 }));
  bytes[9] = 0;

  await expect(readAll(inChunksOf(bytes, 4))).rejects.toThrow(SyntaxError);
});
