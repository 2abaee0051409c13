/** Reads a project and writes down what a release of it has to fulfil. */
import { defineAgent, defineTask, type TaskContext } from '@baton/sdk';
import { z } from 'zod';
import { composeDocument, count } from './project/markdown.ts';
import { type Survey, surveyProject, surveySchema } from './project/survey.ts';
import { openProject } from './project/workspace.ts';

const survey = defineTask({
  type: 'survey-project',
  output: surveySchema,
  async run(_input, ctx) {
    ctx.progress(10, 'reading the sources');
    const project = await openProject(ctx);
    ctx.progress(60, `comparing ${count(project.modules.length, 'module')} with the documents`);
    const found = await surveyProject(project);
    for (const { step, reason } of found.skipped) ctx.note({ kind: 'risk', text: `Skipped: ${step}.`, rationale: reason });
    ctx.summary(describeFindings(found));
    return found;
  },
});

const writeRequirements = defineTask({
  type: 'write-requirements',
  input: z.object({ survey: surveySchema, title: z.string(), coverageMin: z.number() }),
  output: z.object({ length: z.number(), sections: z.array(z.string()) }),
  run({ survey, title, coverageMin }, ctx) {
    noteConstraints(survey, coverageMin, ctx);
    const document = composeDocument(`${title}: requirements`, {
      scope: [
        `The package ${survey.name} as it is found: ${describeFindings(survey)}`,
        '',
        ...survey.modules.map(({ path, exports }) => `- \`${path}\`: ${exports.length === 0 ? 'passes names on' : exports.join(', ')}`),
      ],
      acceptance_criteria: listCriteria(survey, coverageMin),
      test_inventory: [
        survey.tests.files.length === 0
          ? 'There are no tests.'
          : `${count(survey.tests.files.length, 'file')} of unit tests (${survey.tests.framework}): ${survey.tests.files.join(', ')}.`,
        survey.tests.acceptanceFiles.length === 0
          ? 'There are no acceptance tests; the unit tests stand in for them.'
          : `Acceptance tests: ${survey.tests.acceptanceFiles.join(', ')}.`,
      ],
      missing: [
        ...survey.unpublished.map(
          ({ path, name }) => `- \`${name}\` of \`${path}\` is described in the documents and not exported by \`${survey.entry ?? ''}\`.`,
        ),
        ...survey.undocumented.map(
          ({ path, name }) => `- \`${name}\` of \`${path}\` is described in the documents and has no doc comment.`,
        ),
        ...survey.missingFields.map((field) => `- package.json has no \`${field}\`.`),
      ],
      out_of_scope: survey.undescribed.map(
        ({ path, name }) => `- \`${name}\` of \`${path}\` is described nowhere; what it promises is for its authors to say.`,
      ),
      skipped: survey.skipped.map(({ step, reason }) => `- ${step}: ${reason}`),
    });
    ctx.artifact({ type: 'requirements_document', content: { ...document, sections: [...document.sections] } });
    ctx.summary(`Requirements of ${count(document.length, 'character')} in ${count(document.sections.length, 'section')}.`);
    return { length: document.length, sections: [...document.sections] };
  },
});

const describeFindings = ({ modules, undocumented, undescribed, unpublished, tests, missingFields }: Survey): string =>
  [
    `${count(modules.length, 'module')} with ${count(modules.flatMap(({ exports }) => exports).length, 'export')}`,
    `${undocumented.length + undescribed.length} of them without a doc comment`,
    `${unpublished.length} described but not exported by the package`,
    count(tests.files.length, 'test file'),
    missingFields.length === 0 ? 'a complete package.json' : `package.json without ${missingFields.join(', ')}`,
  ].join(', ') + '.';

const listCriteria = ({ entry, dependencies, publicNames }: Survey, coverageMin: number): string[] => [
  `1. At least ${coverageMin} % of the lines with code are run by unit tests, and no test fails.`,
  '2. The acceptance tests pass.',
  `3. What the documents describe is exported by \`${entry ?? 'the entry'}\` and has a doc comment.`,
  `4. The ${count(publicNames.length, 'public name')} of today stay.`,
  `5. Runtime dependencies stay as they are: ${dependencies.length === 0 ? 'none' : dependencies.join(', ')}.`,
  '6. package.json has a name, version, license and list of files; `npm pack` makes a package that can be installed and imported.',
];

function noteConstraints({ entry, dependencies, publicNames, unpublished, modules }: Survey, coverageMin: number, ctx: TaskContext): void {
  ctx.note({
    kind: 'constraint',
    text: `Runtime dependencies stay as they are: ${dependencies.length === 0 ? 'none' : dependencies.join(', ')}.`,
    rationale: 'A check before a release must not change what users install.',
    data: { dependencies },
    references: [{ kind: 'file', value: 'package.json' }],
    pinned: true,
  });
  if (entry !== null) {
    ctx.note({
      kind: 'constraint',
      text: `The ${count(publicNames.length, 'public name')} of ${entry} stay exported.`,
      rationale: 'Taking one away breaks those who use it.',
      data: { publicNames },
      references: [{ kind: 'file', value: entry }],
      pinned: true,
    });
  }
  if (unpublished.length > 0) {
    ctx.note({
      kind: 'decision',
      text: `What the documents describe is public, so ${entry ?? 'the entry'} gets ${unpublished.map(({ name }) => name).join(', ')}.`,
      rationale: 'Users read the documents, not the sources.',
    });
  }
  ctx.note({
    kind: 'number',
    text: `Line coverage of at least ${coverageMin} % over ${modules.reduce((total, { codeLines }) => total + codeLines, 0)} lines with code.`,
    data: { coverageMin },
  });
}

export default defineAgent({ name: 'analyst', capabilities: ['typescript', 'writing'], tasks: [survey, writeRequirements] });
