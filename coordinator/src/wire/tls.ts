import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { type Config, ConfigError } from '../config.ts';
import { isLoopback, type KnownHosts, toHostName } from './hosts.ts';

export interface Tls {
  readonly cert: string;
  readonly key: string;
  /** Of the coordinator itself: the first of the chain. */
  readonly certificate: X509Certificate;
}

/**
 * Reads certificate and key, where TLS is asked for.
 * @throws ConfigError with what can be done where they do not fit, or where the host may not be listened on without them
 */
export async function readTls({ host, tlsCert, tlsKey }: Pick<Config, 'host' | 'tlsCert' | 'tlsKey'>): Promise<Tls | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) {
    refuseOpenHost(host, undefined);
    return undefined;
  }
  if (tlsCert === undefined || tlsKey === undefined)
    throw new ConfigError('TLS needs both a certificate and its key: give --tls-cert and --tls-key.');

  const cert = await read(tlsCert, 'certificate (--tls-cert)');
  const key = await read(tlsKey, 'key (--tls-key)');
  try {
    createSecureContext({ cert, key });
    return { cert, key, certificate: new X509Certificate(cert) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`${tlsCert} and ${tlsKey} are not a certificate and its key in PEM (${why}).`, { cause });
  }
}

/** @throws ConfigError where others could listen in on the tokens that are sent to this host */
export function refuseOpenHost(host: string, tls: Tls | undefined): void {
  if (tls !== undefined || isLoopback(host)) return;
  throw new ConfigError(
    `${host} can be reached from other machines. Listening there needs TLS, so that no token crosses a network in the clear: give a certificate and its key with --tls-cert and --tls-key, or listen on this machine only with --host 127.0.0.1.`,
  );
}

async function read(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`The ${what} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
}

const isFor = ({ certificate }: Tls, name: string): boolean =>
  (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;

/** The names a coordinator answers to: where it listens, those it was given, and those its certificate is for. */
export function knownHosts({ host, publicHosts }: Pick<Config, 'host' | 'publicHosts'>, tls: Tls | undefined): KnownHosts {
  const names = new Set([host, ...publicHosts].map(toHostName));
  return { isTls: tls !== undefined, isOurs: (name) => names.has(name) || (tls !== undefined && isFor(tls, name)) };
}

/** The name to tell others: under which a client that checks the certificate reaches the coordinator. */
export function advertisedHost({ host, publicHosts }: Pick<Config, 'host' | 'publicHosts'>, tls: Tls | undefined): string {
  if (tls === undefined) return host;
  const inCertificate = [...(tls.certificate.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,*\s]+)/g)].map(
    ([, name]) => name ?? '',
  );
  return [host, ...publicHosts, ...inCertificate].find((name) => isFor(tls, toHostName(name))) ?? host;
}
