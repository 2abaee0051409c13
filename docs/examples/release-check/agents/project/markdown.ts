/** A document whose parts a gate can ask for by name. */
export interface SectionedDocument {
  readonly length: number;
  readonly sections: readonly string[];
  readonly text: string;
}

/** Joins parts under headings; the part `acceptance_criteria` is headed "Acceptance criteria". */
export function composeDocument(title: string, parts: Readonly<Record<string, readonly string[]>>): SectionedDocument {
  const filled = Object.entries(parts).filter(([, lines]) => lines.length > 0);
  const text = [`# ${title}`, ...filled.map(([name, lines]) => `## ${headingOf(name)}\n\n${lines.join('\n')}`)].join('\n\n');
  return { length: text.length, sections: filled.map(([name]) => name), text };
}

const headingOf = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');

/** `3 modules`, `1 module`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
