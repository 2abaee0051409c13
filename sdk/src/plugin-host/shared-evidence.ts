import type { ValidateJob } from './job.ts';

/** What the validators of one gate are all shown, in JSON. Written once, when it is first needed, and sent once to each plugin process. */
export interface Evidence {
  readonly text: string;
}

type Shown = Pick<ValidateJob, 'artifacts' | 'facts'>;

export interface EvidenceDesk {
  /** The same evidence for the same objects, as long as somebody holds it. `giveBack` is to be called once. */
  take(shown: Shown): { readonly evidence: Evidence; giveBack(): void };
}

/** @param onFree called with evidence that nobody holds any more */
export function createEvidenceDesk(onFree: (evidence: Evidence) => void): EvidenceDesk {
  const held = new Map<Shown['artifacts'], { readonly facts: Shown['facts']; readonly evidence: Evidence; holders: number }>();
  return {
    take({ artifacts, facts }) {
      const known = held.get(artifacts);
      const entry = known?.facts === facts ? known : { facts, evidence: toEvidence({ artifacts, facts }), holders: 0 };
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

function toEvidence(shown: Shown): Evidence {
  let text: string | undefined;
  return {
    get text() {
      return (text ??= JSON.stringify(shown));
    },
  };
}
