import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { styleText } from 'node:util';
import { expect, test } from 'vitest';
import { showControls } from './show-controls.ts';
import { showLines } from './show-lines.ts';

test('a text that comes in two parts is shown as one, wherever it is cut', async () => {
  const said = `${styleText('green', '✔ passes', { validateStream: false })}\u001B[2J\n${styleText('bold', 'no end', { validateStream: false })}`;
  const cuts = Array.from({ length: said.length + 1 }, (_, at) => [said.slice(0, at), said.slice(at)]);

  const shown = await Promise.all(cuts.map((parts) => text(showLines(Readable.from(parts)))));

  expect(shown).toEqual(cuts.map(() => showControls(said)));
});

test('a line is shown when it has ended, and not when all has', async () => {
  const parts = new PassThrough({ encoding: 'utf8' });
  const shown = showLines(parts);

  parts.write('one\ntwo\nthr');

  expect(await shown.next()).toEqual({ done: false, value: 'one\ntwo\n' });
  parts.end('ee');
  expect(await text(shown)).toBe('three');
});
