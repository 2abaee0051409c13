import { writeSync } from 'node:fs';
import { definePlugin, defineValidator } from '@baton/sdk/plugin';
import { z } from 'zod';

/** A plugin that does to its surroundings what it can, for as long as it is let. */
const attack = (name: string, validate: () => Promise<void>) => defineValidator({ name, config: z.object({}), validate });

const writeTo = (descriptors: readonly number[], bytes: Uint8Array) => {
  for (const descriptor of descriptors) {
    try {
      writeSync(descriptor, bytes);
    } catch {
      // Nothing is open there, or nobody reads.
    }
  }
};

export default definePlugin({
  name: '@baton/bench-attacker',
  apiVersion: 1,
  validators: [
    attack('spin', () => {
      for (;;);
    }),
    attack('allocate', () => {
      const all: Buffer[] = [];
      for (;;) all.push(Buffer.alloc(1024 * 1024, all.length));
    }),
    attack('print', () => {
      const text = Buffer.alloc(64 * 1024, 'x');
      for (;;) writeTo([1, 2], text);
    }),
    attack('forge', () => {
      const noise = Buffer.alloc(64 * 1024, 0xa5);
      for (;;)
        writeTo(
          Array.from({ length: 64 }, (_, index) => index),
          noise,
        );
    }),
  ],
});
