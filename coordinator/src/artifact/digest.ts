import { createHash } from 'node:crypto';
import type { JsonValue } from '@baton/protocol';
import canonicalize from 'canonicalize';

/**
 * The sha-256 of a JSON value in its canonical form (RFC 8785), in hexadecimal, and the size of that form in bytes. Stores and
 * languages order keys as they like; the canonical form is the same everywhere.
 */
export function digestOf(value: JsonValue): { sha256: string; sizeBytes: number } {
  const bytes = Buffer.from(canonicalize(value) ?? '', 'utf8');
  return { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
}
