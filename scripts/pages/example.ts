/** JSON as people write it: on one line what fits there, and the rest a field a line. */
export function writeExample(value: unknown, indent = ''): string {
  const line = writeLine(value);
  if (indent.length + line.length <= widthMax || typeof value !== 'object' || value === null) return line;
  const deeper = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => writeExample(item, deeper))
    : Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}: ${writeExample(field, deeper)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return [open, parts.map((part) => `${deeper}${part}`).join(',\n'), `${indent}${close}`].join('\n');
}

const widthMax = 100;

function writeLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writeLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}: ${writeLine(field)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}
