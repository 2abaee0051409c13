import { pluginApiVersion } from '@baton/sdk/plugin';
import { version } from '../../version.ts';

export interface TemplateNames {
  /** Of the package. */
  readonly name: string;
  /** What a gate will use. */
  readonly validator: string;
}

// Not written out: whoever looks for the imports of this package would find those of the template.
function importLine(names: string, from: string): string {
  return `import ${names} from '${from}';`;
}

/** The files of a new plugin, by their names. JavaScript, as what is published has to be; editors take the types from the SDK. */
export const pluginTemplate = (names: TemplateNames): Readonly<Record<string, string>> => ({
  'package.json': `${JSON.stringify(packageJson(names), undefined, 2)}\n`,
  'index.js': code(names),
  'index.test.js': tests,
  'README.md': readme(names),
});

const packageJson = ({ name, validator }: TemplateNames) => ({
  name,
  version: '0.1.0',
  description: 'A validator for Baton.',
  type: 'module',
  exports: './index.js',
  files: ['index.js'],
  scripts: { test: 'node --test' },
  baton: { apiVersion: pluginApiVersion, validators: [validator], summarizers: [], configs: { [validator]: configSchema } },
  dependencies: { '@baton/sdk': `^${version}`, zod: '^4.0.0' },
});

/** Of the configuration below, as `baton plugin manifest` writes it. */
const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: { word: { default: 'TODO', type: 'string', minLength: 1 } },
};

const code = ({ name, validator }: TemplateNames) => `// @ts-check
${importLine('{ definePlugin, defineValidator }', '@baton/sdk/plugin')}
${importLine('{ z }', 'zod')}

const validator = defineValidator({
  name: '${validator}',
  config: z.object({ word: z.string().min(1).default('TODO') }),
  validate({ config, artifacts, fail, skip }) {
    if (artifacts.length === 0) skip('There is no artifact to look at.');
    for (const { type, name, content } of artifacts)
      if (JSON.stringify(content ?? '').includes(config.word)) fail('word_found', \`\${type} \${name} says \${config.word}.\`);
  },
});

export default definePlugin({ name: '${name}', apiVersion: ${pluginApiVersion}, validators: [validator] });
`;

const tests = `${importLine('test', 'node:test')}
${importLine('{ testValidator }', '@baton/sdk/plugin/testing')}
${importLine('plugin', './index.js')}

const [validator] = plugin.validators;
const note = (text) => [{ type: 'note', content: { text } }];

// Each case runs in the real isolation, twice, and has to say the same both times.
test('it finds the word', () =>
  testValidator(validator, {
    folder: new URL('.', import.meta.url),
    valid: [
      { name: 'no such word', artifacts: note('All is done.') },
      { name: 'another word is looked for', config: { word: 'FIXME' }, artifacts: note('TODO: the rest.') },
    ],
    invalid: [{ name: 'the word', artifacts: note('TODO: the rest.'), codes: ['word_found'] }],
    skipped: [{ name: 'nothing to look at', reason: 'no artifact' }],
  }));
`;

const readme = ({ name, validator }: TemplateNames) => `# ${name}

A validator for [Baton](https://www.npmjs.com/package/@baton/coordinator).

\`\`\`yaml
gate:
  validators:
    - use: ${validator}
      config: { word: TODO }
\`\`\`

| code         | means                                   |
| ------------ | --------------------------------------- |
| \`word_found\` | an artifact has the word that it should not have |

\`npm test\` runs its tests, and so does \`baton plugin test\`. After a change of what it offers, \`baton plugin manifest --write\` brings
the \`baton\` field of its package.json up to date.
`;
