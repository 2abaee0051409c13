import { expect, test } from 'vitest';
import { EvidenceTooLarge } from './evidence-size.ts';
import { sampleArtifact, sampleFacts } from './plugin-fixture.ts';
import { createEvidenceDesk } from './shared-evidence.ts';

test('the same objects are written once, and freed when the last has given them back', () => {
  const freed: string[] = [];
  const desk = createEvidenceDesk(10_000, (evidence) => freed.push(evidence.read().toString()));
  const artifacts = [sampleArtifact('report', { lines: 3 })];

  const [first, second] = [desk.take({ artifacts, facts: sampleFacts }), desk.take({ artifacts, facts: sampleFacts })];
  first.giveBack();
  const before = [...freed];
  second.giveBack();

  expect(second.evidence).toBe(first.evidence);
  expect(before).toEqual([]);
  expect(freed).toEqual([JSON.stringify({ artifacts, facts: sampleFacts })]);
});

test('other facts or other artifacts are other evidence', () => {
  const desk = createEvidenceDesk(10_000, () => undefined);
  const artifacts = [sampleArtifact('report', {})];

  const held = desk.take({ artifacts, facts: sampleFacts });

  expect(desk.take({ artifacts, facts: { ...sampleFacts, visit: 2 } }).evidence).not.toBe(held.evidence);
  expect(desk.take({ artifacts: [...artifacts], facts: sampleFacts }).evidence).not.toBe(held.evidence);
});

test('evidence that is too large is refused, by what its contents take and by what it takes in all', () => {
  const desk = createEvidenceDesk(2_000, () => undefined);
  const large = { ...sampleArtifact('report', 'x'), sizeBytes: 2_001 };
  const many = Array.from({ length: 10 }, () => sampleArtifact('report', 'x'.repeat(200)));
  const elsewhere = { ...sampleArtifact('report', null), content: undefined, uri: 'file:///report', sizeBytes: 1e9 };

  expect(() => desk.take({ artifacts: [large], facts: sampleFacts }).evidence.read()).toThrow('The evidence takes 2001 bytes');
  expect(() => desk.take({ artifacts: many, facts: sampleFacts }).evidence.read()).toThrow(EvidenceTooLarge);
  expect(desk.take({ artifacts: [elsewhere], facts: sampleFacts }).evidence.read().length).toBeLessThan(2_000);
});
