import { createHash } from 'node:crypto';
import { countTokens } from '@baton/sdk/plugin/host';
import { countTokens as countExactly } from 'gpt-tokenizer';
import { expect, test } from 'vitest';

const digests = Array.from({ length: 50 }, (_, index) => createHash('sha256').update(String(index)).digest());
const uuidOf = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

test.each([
  ['hexadecimal digests', digests.map((digest) => digest.toString('hex'))],
  ['the beginnings of digests', digests.map((digest) => digest.toString('hex').slice(0, 12))],
  ['short names of commits', digests.map((digest) => digest.toString('hex').slice(0, 7))],
  ['ids of six characters', digests.map((digest) => digest.toString('hex').slice(0, 6))],
  ['Base64', digests.map((digest) => digest.toString('base64'))],
  ['UUIDs', digests.map((digest) => uuidOf(digest.toString('hex')))],
  ['lines of artifacts', digests.map((digest) => `test_results "unit" version 2, sha256 ${digest.toString('hex').slice(0, 12)}`)],
  ['moments', digests.map((_, index) => `2026-11-23T13:31:${10 + index}.123Z`)],
])('of %s no fewer are counted than a model would', (_, texts) => {
  const text = texts.join('\n');

  expect(countTokens(text)).toBeGreaterThanOrEqual(countExactly(text) * 0.97);
  expect(countTokens(text)).toBeLessThan(countExactly(text) * 1.5);
});

test.each([
  'The lease of a session is 15 s, and whoever has lost it is told so before the next call.',
  'Die Sitzung dauert fünfzehn Sekunden, danach wird die Anfrage vom Koordinator abgelehnt.',
  'export const toNumber = (citation: string): number => Number(citation.slice(2));',
  'With x86_64 and arm64 it is built for Node24 and ES2022, in utf8, base64 or sha256, over HTTP2 and IPv4.',
  'It is in src/module-17/cart2.test.ts:128, see parseItems3 and session512.',
  '会话租约为十五秒，过期后系统会拒绝请求。',
])('of "%s" about as many are counted as a model would', (text) => {
  expect(countTokens(text) / countExactly(text)).toBeGreaterThan(0.85);
  expect(countTokens(text) / countExactly(text)).toBeLessThan(1.3);
});
