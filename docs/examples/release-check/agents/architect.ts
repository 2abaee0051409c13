/** Finds out how the modules build on each other, and decides from that who changes what, in which order. */
import { defineAgent, defineTask } from '@baton/sdk';
import { z } from 'zod';
import { buildImportGraph } from './project/import-graph.ts';
import { composeDocument, count } from './project/markdown.ts';
import { surveySchema } from './project/survey.ts';
import { openProject } from './project/workspace.ts';

const graphSchema = z.object({
  nodes: z.array(z.object({ path: z.string(), level: z.number(), imports: z.array(z.string()), packages: z.array(z.string()) })),
  levels: z.number(),
  cycles: z.array(z.array(z.string())),
});

/** One module to work on, after those it imports. */
export const workItem = z.object({
  path: z.string(),
  dependsOn: z.array(z.string()),
  /** Exports that get a doc comment. */
  document: z.array(z.string()),
  /** Exports that the entry has to pass on. */
  publish: z.array(z.string()),
});

const graph = defineTask({
  type: 'graph-imports',
  output: graphSchema,
  async run(_input, ctx) {
    const { modules } = await openProject(ctx);
    const { nodes, cycles } = buildImportGraph(modules);
    const levels = nodes.length === 0 ? 0 : 1 + Math.max(...nodes.map(({ level }) => level));
    for (const cycle of cycles) ctx.note({ kind: 'risk', text: `These modules import each other in a circle: ${cycle.join(' → ')}.` });
    ctx.summary(
      `${count(nodes.length, 'module')} on ${count(levels, 'level')}, ${count(nodes.flatMap(({ imports }) => imports).length, 'import')} between them.`,
    );
    return {
      nodes: nodes.map(({ path, level, imports, packages }) => ({ path, level, imports: [...imports], packages: [...packages] })),
      levels,
      cycles: cycles.map((cycle) => [...cycle]),
    };
  },
});

const design = defineTask({
  type: 'write-design',
  // `context` is the pack of what the earlier phases came to: text, each line with its citation.
  input: z.object({ graph: graphSchema, survey: surveySchema, context: z.string() }),
  output: z.object({ entry: z.string().nullable(), work: z.array(workItem), cites: z.array(z.string()) }),
  run({ graph: { nodes, levels, cycles }, survey, context }, ctx) {
    const circular = new Set(cycles.flat());
    const namesAt = (list: readonly { path: string; name: string }[], path: string) =>
      list.filter((item) => item.path === path).map(({ name }) => name);
    const work = nodes.map(({ path, imports }) => ({
      path,
      // Modules in a circle cannot all come after each other: their order does not matter then.
      dependsOn: imports.filter((target) => !(circular.has(path) && circular.has(target))),
      document: namesAt(survey.undocumented, path),
      publish: namesAt(survey.unpublished, path),
    }));
    const publishers = work.filter(({ publish }) => publish.length > 0);
    const given = context.split('\n').filter((line) => /\bc:\d+/.test(line));
    const cites = [...new Set(given.flatMap((line) => line.match(/\bc:\d+/g) ?? []))];

    const decision = `One task for each of ${count(work.length, 'module')}, after those of the modules it imports, on ${count(levels, 'level')}.`;
    ctx.note({
      kind: 'decision',
      text: decision,
      rationale: 'A doc comment may speak of what a module imports, so that has to be settled first.',
    });
    if (publishers.length > 1 && survey.entry !== null) {
      ctx.note({
        kind: 'decision',
        text: `${publishers.map(({ path }) => path).join(', ')} all change ${survey.entry}: each takes its lock.`,
        rationale: 'Two tasks that read a file and write it back at the same time lose one of the changes.',
        references: [{ kind: 'file', value: survey.entry }],
      });
    }
    const document = composeDocument('Design of the work', {
      given: given.length === 0 ? ['Nothing was handed over.'] : given,
      order: [
        decision,
        '',
        ...Array.from(
          { length: levels },
          (_, level) =>
            `- level ${level}: ${nodes
              .filter((node) => node.level === level)
              .map(({ path }) => path)
              .join(', ')}`,
        ),
      ],
      shared_files: publishers.map(({ path, publish }) => `- ${survey.entry ?? ''} gets ${publish.join(', ')} of ${path}.`),
      risks: cycles.map((cycle) => `- circle: ${cycle.join(' → ')}`),
    });
    ctx.artifact({ type: 'design_document', content: { ...document, sections: [...document.sections], cites } });
    ctx.summary(`${decision} Builds on ${cites.length === 0 ? 'nothing that was handed over' : cites.join(', ')}.`);
    return { entry: survey.entry, work, cites };
  },
});

export default defineAgent({ name: 'architect', capabilities: ['typescript', 'writing'], tasks: [graph, design] });
