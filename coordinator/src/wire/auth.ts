import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Caller } from '../call.ts';

/** Finds who a bearer token speaks for; undefined for every token that does not fit, whatever is wrong with it. */
export type Authenticate = (token: string | undefined) => Promise<Caller | undefined>;

export interface KnownToken {
  readonly caller: Caller;
  /** sha-256 of the secret, in hexadecimal. */
  readonly secretHash: string;
}

export interface NewToken {
  readonly id: string;
  /** `baton_<id>_<secret>`. Shown once and kept nowhere. */
  readonly token: string;
  readonly secretHash: string;
}

/** 256 bits, so that a plain hash at rest is enough: there is nothing to guess. */
const secretBytes = 32;
const tokenPattern = /^baton_([0-9a-f-]{36})_([A-Za-z0-9_-]{43})$/;

/** A new secret, for a new token or for the one with this id. */
export function createToken(id: string = uuidv7()): NewToken {
  const secret = randomBytes(secretBytes).toString('base64url');
  return { id, token: `baton_${id}_${secret}`, secretHash: hash(secret).toString('hex') };
}

export function createAuthenticate(findToken: (id: string) => Promise<KnownToken | undefined>): Authenticate {
  // Compared with where the id is unknown, so that the time tells nothing about which ids exist.
  const nobody = randomBytes(32);
  return async (token) => {
    const [, id, secret] = tokenPattern.exec(token ?? '') ?? [];
    if (id === undefined || secret === undefined) return undefined;
    const known = await findToken(id);
    const fits = timingSafeEqual(hash(secret), known === undefined ? nobody : Buffer.from(known.secretHash, 'hex'));
    return fits ? known?.caller : undefined;
  };
}

/** The token of an `Authorization: Bearer …` header. */
export const readBearer = (header: string | undefined): string | undefined => /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];

const hash = (secret: string) => createHash('sha256').update(secret).digest();
