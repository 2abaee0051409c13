import { methods, toOpenRpc } from '@baton/protocol';
import protocolPackage from '@baton/protocol/package.json' with { type: 'json' };

export function openRpcDocument(): string {
  const document = toOpenRpc(methods, protocolPackage.version);
  return `${JSON.stringify({ ...document, 'x-generated': 'By `pnpm generate` from @baton/protocol. Do not edit.' }, undefined, 2)}\n`;
}
