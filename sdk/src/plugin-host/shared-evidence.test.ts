import { expect, test } from 'vitest';
import { sampleArtifact, sampleFacts } from './plugin-fixture.ts';
import { createEvidenceDesk } from './shared-evidence.ts';

test('the same objects are written once, and freed when the last has given them back', () => {
  const freed: string[] = [];
  const desk = createEvidenceDesk(({ text }) => freed.push(text));
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
  const desk = createEvidenceDesk(() => undefined);
  const artifacts = [sampleArtifact('report', {})];

  const held = desk.take({ artifacts, facts: sampleFacts });

  expect(desk.take({ artifacts, facts: { ...sampleFacts, visit: 2 } }).evidence).not.toBe(held.evidence);
  expect(desk.take({ artifacts: [...artifacts], facts: sampleFacts }).evidence).not.toBe(held.evidence);
});
