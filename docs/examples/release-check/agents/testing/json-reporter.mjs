// A reporter for `node --test` that says what happened as one JSON object per line.
export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type === 'test:pass' || type === 'test:fail') {
      // A suite passes and fails with its tests, which are reported themselves.
      if (data.details?.type === 'suite') continue;
      const cause = data.details?.error?.cause ?? data.details?.error;
      const outcome = data.todo !== undefined ? 'todo' : data.skip !== undefined ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed';
      yield line({
        kind: 'test',
        name: data.name,
        file: data.file,
        line: data.line,
        outcome,
        message: outcome === 'failed' ? String(cause?.message ?? cause) : undefined,
      });
    } else if (type === 'test:coverage') {
      const files = data.summary.files.map(({ path, lines }) => ({ path, lines: lines.map(({ line, count }) => [line, count]) }));
      yield line({ kind: 'coverage', files });
    }
  }
}

const line = (value) => `${JSON.stringify(value)}\n`;
