import type { Finding } from '@baton/protocol';
import { describe, expect, test } from 'vitest';
import type { HostAnswer } from './job.ts';
import { boundFindings, type ThreadAnswer, toSummary, toVerdict } from './outcome.ts';

const finding = (severity: Finding['severity'], message = 'm'): Finding => ({ severity, code: 'c', message });
const answered = (answer: ThreadAnswer): HostAnswer => ({ kind: 'answered', text: JSON.stringify(answer) });

describe('a verdict', () => {
  test.each<[string, ThreadAnswer, string]>([
    ['nothing found', { kind: 'judged', findings: [] }, 'pass'],
    ['warnings only', { kind: 'judged', findings: [finding('warn'), finding('info')] }, 'pass'],
    ['a fail', { kind: 'judged', findings: [finding('info'), finding('fail')] }, 'fail'],
    ['a skip', { kind: 'judged', findings: [], skipped: 'why' }, 'skipped'],
    ['a fail and a skip', { kind: 'judged', findings: [finding('fail')], skipped: 'why' }, 'fail'],
    ['a refusal', { kind: 'refused', findings: [finding('fail')] }, 'error'],
    ['a throw', { kind: 'threw', name: 'Error', message: 'm' }, 'error'],
    ['a throw because of the time', { kind: 'threw', name: 'TimeoutError', message: 'm' }, 'timeout'],
    ['a summary', { kind: 'summarized', text: '', citations: [] }, 'error'],
  ])('of %s', (_, answer, outcome) => {
    expect(toVerdict(answered(answer), 100).outcome).toBe(outcome);
  });

  test.each<[HostAnswer, string]>([
    [{ kind: 'timed_out' }, 'timeout'],
    [{ kind: 'cancelled' }, 'error'],
    [{ kind: 'died', reason: 'r' }, 'error'],
    [{ kind: 'too_large' }, 'error'],
    [{ kind: 'answered', text: 'not JSON' }, 'error'],
    [{ kind: 'answered', text: '{"kind":"judged"}' }, 'error'],
    [{ kind: 'answered', text: '{"kind":"judged","findings":[{"severity":"fatal"}]}' }, 'error'],
    [{ kind: 'answered', text: JSON.stringify({ kind: 'judged', findings: [finding('info', 'x'.repeat(4_001))] }) }, 'error'],
    [{ kind: 'answered', text: '{"kind":"pass"}' }, 'error'],
  ])('of %j is not a pass and says why', (answer, outcome) => {
    const verdict = toVerdict(answer, 100);

    expect(verdict.outcome).toBe(outcome);
    expect(verdict.findings).toHaveLength(1);
    expect(verdict.findings[0]!.message).not.toBe('');
  });
});

describe('a summary', () => {
  test('is what the summarizer said', () => {
    expect(toSummary(answered({ kind: 'summarized', text: 't', citations: ['c:1'] }), 100)).toEqual({
      outcome: 'ok',
      text: 't',
      citations: ['c:1'],
    });
  });

  test.each<[HostAnswer, string]>([
    [answered({ kind: 'judged', findings: [] }), 'error'],
    [answered({ kind: 'threw', name: 'Error', message: 'm' }), 'error'],
    [{ kind: 'timed_out' }, 'timeout'],
  ])('of %j is none', (answer, outcome) => {
    expect(toSummary(answer, 100)).toMatchObject({ outcome, message: expect.stringMatching(/./) });
  });
});

describe('findings', () => {
  test('that are few and short stay as they are', () => {
    const findings = [finding('info'), finding('fail')];

    expect(boundFindings(findings, { bytesMax: 10_000 })).toEqual(findings);
  });

  test('of little weight are left out first, and counted', () => {
    const findings = [...Array.from({ length: 150 }, () => finding('info')), finding('fail', 'the reason')];

    const bounded = boundFindings(findings, { bytesMax: 100_000, omitted: 7 });

    expect(bounded).toHaveLength(100);
    expect(bounded.slice(-2)).toEqual([
      finding('fail', 'the reason'),
      { severity: 'info', code: 'findings_omitted', message: '59 more findings were left out.' },
    ]);
  });

  test('are not all of one weight, where there are others', () => {
    const findings = [...Array.from({ length: 150 }, () => finding('fail')), finding('info', 'the sum')];

    expect(boundFindings(findings, { bytesMax: 100_000 })[98]).toEqual(finding('info', 'the sum'));
  });

  test('that have no place at all still fail', () => {
    expect(boundFindings([finding('fail', 'x'.repeat(4_000))], { bytesMax: 1_000 })).toEqual([
      { severity: 'fail', code: 'findings_omitted', message: '1 more findings were left out.' },
    ]);
  });
});
