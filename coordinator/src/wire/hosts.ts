import { isIP } from 'node:net';
import type { IncomingHttpHeaders } from 'node:http';

/** Whether nothing outside this machine reaches the host. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/**
 * Says why a request is not to be served, from its `Host` and `Origin`. A page on a foreign host reaches a loopback port
 * through the browser of who works here: by a name of its own that points to 127.0.0.1 (the `Host` tells), or across sites
 * (the `Origin` tells). Programs send no `Origin`.
 */
export function refuseStranger({ host, origin }: IncomingHttpHeaders, boundHost: string): string | undefined {
  const ours = host === undefined ? null : URL.parse(`http://${host}`);
  // A path or a user name in the header makes it no host at all.
  if (ours === null || ours.host === '' || ours.pathname !== '/' || ours.username !== '') return 'The Host header is missing or malformed.';
  if (!isLoopback(ours.hostname) && ours.hostname !== boundHost.toLowerCase()) return 'The Host header names another host.';
  if (origin !== undefined && URL.parse(origin)?.origin !== ours.origin) return 'Pages of other origins are not served.';
  return undefined;
}
