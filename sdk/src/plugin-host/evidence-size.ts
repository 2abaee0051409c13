/** Where nothing else is said. Text of this size is read and parsed by a thread with the usual memory. */
export const evidenceBytesUsual = 64 * 1024 * 1024;

/** What a gate would show its validators is more than they may be shown. */
export class EvidenceTooLarge extends Error {
  override readonly name = 'EvidenceTooLarge';

  constructor(bytes: number, bytesMax: number) {
    super(describeTooLarge(bytes, bytesMax));
  }
}

export const describeTooLarge = (bytes: number, bytesMax: number): string =>
  `The evidence takes ${bytes} bytes, and validators are shown at most ${bytesMax} (pluginEvidenceBytesMax). ` +
  'Put large contents elsewhere and name them by uri, or have the limit raised.';
