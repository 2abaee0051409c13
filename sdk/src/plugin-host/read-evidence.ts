import type { ValidateJob } from './job.ts';

/** What the validators of a gate are shown, in JSON, under the number that it has in this process. */
export interface NumberedEvidence {
  readonly number: number;
  readonly bytes: Uint8Array;
}

type Shown = Pick<ValidateJob, 'artifacts' | 'facts'>;

/**
 * Reads evidence once for all validators of a gate that one thread is asked for. It is frozen: what one of them does to it no other sees.
 */
export function createEvidenceReader(): (evidence: NumberedEvidence) => Shown {
  let last: { readonly number: number; readonly shown: Shown } | undefined;
  return ({ number, bytes }) => {
    if (last?.number === number) return last.shown;
    // Before the next is read: there may be no room for both.
    last = undefined;
    const shown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as Shown;
    freezeAll(shown);
    last = { number, shown };
    return shown;
  };
}

// Taken before any plugin is loaded: it could change these as well.
const { freeze, values } = Object;

/** Of JSON: it holds itself nowhere, and is no deeper than what the wire lets in. */
function freezeAll(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  freeze(value);
  for (const each of values(value)) freezeAll(each);
}
