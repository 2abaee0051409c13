import { EvidenceTooLarge } from './evidence-size.ts';
import type { ValidateJob } from './job.ts';

/** What the validators of one gate are all shown. Sent once to each plugin process. */
export interface Evidence {
  /**
   * In JSON, which is written once, when it is first asked for.
   * @throws EvidenceTooLarge
   */
  read(): Buffer;
}

type Shown = Pick<ValidateJob, 'artifacts' | 'facts'>;

export interface EvidenceDesk {
  /** The same evidence for the same objects, as long as somebody holds it. `giveBack` is to be called once. */
  take(shown: Shown): { readonly evidence: Evidence; giveBack(): void };
}

/** @param onFree called with evidence that nobody holds any more */
export function createEvidenceDesk(bytesMax: number, onFree: (evidence: Evidence) => void): EvidenceDesk {
  const held = new Map<Shown['artifacts'], { readonly facts: Shown['facts']; readonly evidence: Evidence; holders: number }>();
  return {
    take({ artifacts, facts }) {
      const known = held.get(artifacts);
      const entry = known?.facts === facts ? known : { facts, evidence: toEvidence({ artifacts, facts }, bytesMax), holders: 0 };
      held.set(artifacts, entry);
      entry.holders += 1;
      return {
        evidence: entry.evidence,
        giveBack() {
          entry.holders -= 1;
          if (entry.holders > 0) return;
          if (held.get(artifacts) === entry) held.delete(artifacts);
          onFree(entry.evidence);
        },
      };
    },
  };
}

function toEvidence(shown: Shown, bytesMax: number): Evidence {
  let bytes: Buffer | undefined;
  return {
    read() {
      if (bytes !== undefined) return bytes;
      // Before it is written: text has a largest size, beyond which writing it throws.
      const contentBytes = shown.artifacts.reduce((sum, { content, sizeBytes }) => (content === undefined ? sum : sum + sizeBytes), 0);
      if (contentBytes > bytesMax) throw new EvidenceTooLarge(contentBytes, bytesMax);
      const written = Buffer.from(JSON.stringify(shown));
      if (written.length > bytesMax) throw new EvidenceTooLarge(written.length, bytesMax);
      return (bytes = written);
    },
  };
}
