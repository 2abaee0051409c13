import { createHash } from 'node:crypto';
import { CoordinatorError } from '@baton/protocol';
import type { Config } from '../config.ts';
import { createBucketTable } from './rate-limit.ts';
import { type Refusal, toRefusal } from './refusal.ts';

/** Counts the tokens that did not fit, by the address that showed them. */
export interface FailedAuthentications {
  /** Why the token is not even looked at. */
  refuse(address: string | undefined, token: string | undefined): Refusal | undefined;
  record(address: string | undefined, token: string | undefined, hasSucceeded: boolean): void;
}

/** More addresses or tokens than these are not remembered. */
const addressesMax = 10_000;
const goodTokensMax = 10_000;

/**
 * Whoever shares its address with somebody who guesses, as all do on this machine, is let in all the same where its token
 * has fitted before, or is known to fit: after a restart nobody has shown one yet.
 */
export function createFailedAuthentications(
  { failedAuthenticationsPerMinuteMax }: Pick<Config, 'failedAuthenticationsPerMinuteMax'>,
  knownTokens: readonly string[] = [],
): FailedAuthentications {
  const rate = { perSecond: failedAuthenticationsPerMinuteMax / 60, burst: failedAuthenticationsPerMinuteMax };
  const failures = createBucketTable(rate, { keysMax: addressesMax });
  // Hashed, as everywhere: what is in memory may end in a dump.
  const good = new Set(knownTokens.map(hash));

  return {
    refuse(address, token) {
      const retryAfterMs = failures.of(toKey(address)).look();
      if (retryAfterMs === undefined || (token !== undefined && good.has(hash(token)))) return undefined;
      const message = 'Too many tokens from this address did not fit.';
      return toRefusal(new CoordinatorError('overloaded', { retryAfterMs, message }), 429);
    },
    record(address, token, hasSucceeded) {
      if (!hasSucceeded) failures.of(toKey(address)).take();
      if (token === undefined) return;
      if (!hasSucceeded) good.delete(hash(token));
      else if (good.size < goodTokensMax) good.add(hash(token));
    },
  };
}

const hash = (token: string) => createHash('sha256').update(token).digest('base64');

/** An IPv6 customer has 2^64 addresses: its network counts as one. */
function toKey(address = ''): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1];
  return mapped ?? (address.split('::', 1)[0] ?? '').split(':').slice(0, 4).join(':');
}
