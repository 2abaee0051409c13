import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Example, parseExamples } from './example.ts';
import { findFiles } from './find-files.ts';

/** What the project's documents say of one export. */
export interface Promised {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly description: string;
  readonly examples: readonly Example[];
}

/**
 * Reads README.md and the Markdown below docs/ for headings that name an export, such as "### `parse(text)`": the
 * paragraphs below are its description, the blocks of code its examples.
 */
export async function readDocumentation(root: string, exportNames: ReadonlySet<string>): Promise<Promised[]> {
  const promised = new Map<string, Promised>();
  for (const file of await findFiles(root, '{README.md,docs/**/*.md}')) {
    for (const section of splitSections(await readFile(join(root, file), 'utf8'))) {
      const [, name = ''] = /`(?:new )?([A-Za-z_$][\w$]*)/.exec(section.heading) ?? [];
      if (!exportNames.has(name) || promised.has(name)) continue;
      const description = section.prose.join('\n').trim();
      if (description === '') continue;
      promised.set(name, { name, file, line: section.line, description, examples: section.code.flatMap((code) => parseExamples(code)) });
    }
  }
  return [...promised.values()];
}

interface Section {
  readonly heading: string;
  readonly line: number;
  readonly prose: string[];
  readonly code: string[];
}

function splitSections(markdown: string): Section[] {
  const sections: Section[] = [];
  let fence: { readonly isCode: boolean; readonly lines: string[] } | undefined;
  for (const [index, line] of markdown.split(/\r?\n/).entries()) {
    const section = sections.at(-1);
    const [, language] = /^```\s*(\w*)/.exec(line) ?? [];
    if (fence !== undefined) {
      if (language === undefined) fence.lines.push(line);
      else {
        if (fence.isCode) section?.code.push(fence.lines.join('\n'));
        fence = undefined;
      }
    } else if (language !== undefined) fence = { isCode: /^(ts|typescript|js|javascript)$/.test(language), lines: [] };
    else if (/^#{1,6}\s/.test(line)) sections.push({ heading: line, line: index + 1, prose: [], code: [] });
    else section?.prose.push(line);
  }
  return sections;
}
