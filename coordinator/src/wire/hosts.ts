import { isIP } from 'node:net';
import type { IncomingHttpHeaders } from 'node:http';

/** A host as it stands in a URL or a header: in lower case and without the brackets of IPv6. */
export const toHostName = (host: string): string => host.toLowerCase().replace(/^\[(.*)\]$/, '$1');

/** Whether nothing outside this machine reaches the host. */
export function isLoopback(host: string): boolean {
  const name = toHostName(host);
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/** Under which names a coordinator is known. */
export interface KnownHosts {
  /** Whether the coordinator answers to this name, beside those of this machine itself. */
  readonly isOurs: (name: string) => boolean;
  readonly isTls: boolean;
}

/**
 * Says why a request is not to be served, from its `Host` and `Origin`. A page on a foreign host reaches a coordinator
 * through the browser of who works here: by a name of its own that points to our address (the `Host` tells), or across sites
 * (the `Origin` tells). Programs send no `Origin`.
 */
export function refuseStranger({ host, origin }: IncomingHttpHeaders, { isOurs, isTls }: KnownHosts): string | undefined {
  const ours = host === undefined ? null : URL.parse(`http://${host}`);
  // A path or a user name in the header makes it no host at all.
  if (ours === null || ours.pathname !== '/' || /[@?#/\\]/.test(host ?? '')) return 'The Host header is missing or malformed.';
  const name = toHostName(ours.hostname);
  if (!isLoopback(name) && !isOurs(name)) return 'The Host header names another host.';
  if (origin !== undefined && !isSamePlace(origin, host ?? '', isTls)) return 'Pages of other origins are not served.';
  return undefined;
}

// In front of a coordinator without TLS something else may end it: then the page's scheme is https and ours is not.
function isSamePlace(origin: string, host: string, isTls: boolean): boolean {
  const page = URL.parse(origin);
  if (page === null || !(page.protocol === 'https:' || (page.protocol === 'http:' && !isTls))) return false;
  return page.host === URL.parse(`${page.protocol}//${host}`)?.host;
}
