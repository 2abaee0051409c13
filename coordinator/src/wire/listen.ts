import type { AddressInfo, Server } from 'node:net';
import { ConfigError } from '../config.ts';

/**
 * Starts to listen and returns the port, which is another than the one asked for where that was 0.
 * @throws ConfigError with what can be done about it
 */
export function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(explain(error, host, port));
    server.once('error', fail);
    server.listen({ host, port }, () => {
      server.off('error', fail);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new ConfigError(
        `Port ${port} on ${host} is in use, perhaps by another coordinator. Stop what listens there, or choose another port with --port (0 picks a free one).`,
        { cause: error },
      );
    case 'EACCES':
      return new ConfigError(
        `Port ${port} on ${host} needs rights that this process does not have. Choose a port above 1023 with --port.`,
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ConfigError(`${host} is not an address of this machine. Choose another with --host.`, { cause: error });
    default:
      return error;
  }
}
