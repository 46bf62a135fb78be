import js from '@eslint/js'
import nx from '@nx/eslint-plugin'
import prettier from 'eslint-config-prettier'
import ts from 'typescript-eslint'

const below = ['scope:domain']

const style = [
  { selector: 'TSEnumDeclaration', message: 'Use a const object or a union.' },
  { selector: 'ExportDefaultDeclaration', message: 'Name what you export.' },
]
/** A missing entry must not pass for a 0: CONTRIBUTING.md says how to read arrays and columns. */
const indexed = {
  selector:
    'LogicalExpression[operator="??"][right.value=0][left.type="MemberExpression"][left.computed=true]:not([left.property.value=/./])',
  message: 'Write column[i]! where i is in range, or orZero(column[i]) where a missing entry means 0.',
}
/** Rooms whose reads follow the rule. The others follow when they are next opened: domain, contracts, ranking, adapters, the apps. */
const indexedRooms = ['columns', 'vectors', 'embeddings', 'retrieval'].map((lib) => `libs/${lib}/src/**/*.ts`)
const clockMessage =
  'The time and chance come with events, requests, a Clock or a Random. Only a composition root reads the system.'
const timerMessage =
  'Wait with Clock.sleep, measure with a nowMs() from outside. Only composition roots, libs/adapters and libs/service use timers.'
const of = (message) => (entry) => ({ ...entry, message })

/** What reads the clock on the wall, or chance. */
const wallClock = {
  properties: [
    { object: 'Date', property: 'now' },
    { object: 'Math', property: 'random' },
    ...['randomUUID', 'getRandomValues'].map((property) => ({ object: 'crypto', property })),
  ].map(of(clockMessage)),
  syntax: [
    { selector: 'NewExpression[callee.name="Date"][arguments.length=0]' },
    { selector: 'CallExpression[callee.name="Date"]' },
  ].map(of(clockMessage)),
  imports: [
    { name: 'node:crypto', importNames: ['randomUUID', 'randomBytes', 'randomInt', 'getRandomValues', 'webcrypto'] },
  ].map(of(clockMessage)),
}
/** What waits, or measures how long something takes. */
const timers = {
  properties: [
    { object: 'performance', property: 'now' },
    { object: 'process', property: 'hrtime' },
    { object: 'process', property: 'uptime' },
  ].map(of(timerMessage)),
  globals: ['setTimeout', 'setInterval', 'setImmediate'].map((name) => ({ name, message: timerMessage })),
  imports: ['node:timers', 'node:timers/promises', 'node:perf_hooks'].map((name) => ({ name, message: timerMessage })),
}
/** Code of ours that runs in production. */
const sources = ['libs/*/src/**/*.ts', 'apps/*/src/**/*.{ts,tsx}']
/** Files that put a process together, so they hand out what the system has. */
const compositionRoots = [
  'apps/*/src/main.ts',
  'apps/blender/src/listen.ts',
  'apps/freshet/src/console/command.ts',
  'apps/freshet/src/dev/command.ts',
  'apps/freshet/src/evaluation/command.ts',
  'apps/freshet/src/operations/terminal.ts',
]
/** The rooms that hold the system's clock, chance and deadlines. */
const systemRooms = [
  'libs/adapters/src/system/**',
  // gRPC takes deadlines as times of the system's clock.
  'libs/adapters/src/grpc/deadline.ts',
  // Keys and tokens expire by the clock on the wall.
  'libs/service/src/wall-clock.ts',
  // What the SDK finds in a browser or in Node.
  'libs/client/src/*environment.ts',
  // What the page finds in its browser.
  'apps/console/src/api/browser.ts',
]
/** What only tests import. */
const testFiles = [
  '**/*.{test,suite,fixture,harness,builders}.ts',
  '**/testing.ts',
  '**/testing/**',
  // A process that a test starts.
  'libs/service/src/test-program.ts',
]

export default ts.config(
  {
    ignores: [
      '**/node_modules/**',
      '**/gen/**',
      '**/assembly/**',
      '**/*.js',
      '**/*.mjs',
      '**/dist/**',
      'libs/client/examples/**',
    ],
  },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          depConstraints: [
            { sourceTag: 'scope:domain', onlyDependOnLibsWithTags: [] },
            { sourceTag: 'scope:settings', onlyDependOnLibsWithTags: [] },
            { sourceTag: 'scope:access', onlyDependOnLibsWithTags: ['scope:settings', 'scope:domain'] },
            { sourceTag: 'scope:tfjs', onlyDependOnLibsWithTags: [] },
            { sourceTag: 'scope:columns', onlyDependOnLibsWithTags: below },
            { sourceTag: 'scope:pipeline', onlyDependOnLibsWithTags: [] },
            { sourceTag: 'scope:client', onlyDependOnLibsWithTags: [] },
            { sourceTag: 'scope:contracts', onlyDependOnLibsWithTags: below },
            { sourceTag: 'scope:vectors', onlyDependOnLibsWithTags: ['scope:columns', 'scope:domain'] },
            { sourceTag: 'scope:embeddings', onlyDependOnLibsWithTags: ['scope:columns', 'scope:domain'] },
            {
              sourceTag: 'scope:retrieval',
              onlyDependOnLibsWithTags: [
                'scope:columns',
                'scope:vectors',
                'scope:embeddings',
                'scope:settings',
                'scope:domain',
              ],
            },
            { sourceTag: 'scope:ranking', onlyDependOnLibsWithTags: ['scope:columns', 'scope:domain'] },
            { sourceTag: 'scope:ordering', onlyDependOnLibsWithTags: ['scope:domain'] },
            { sourceTag: 'scope:experiments', onlyDependOnLibsWithTags: ['scope:domain'] },
            { sourceTag: 'scope:pictures', onlyDependOnLibsWithTags: below },
            {
              sourceTag: 'scope:service',
              onlyDependOnLibsWithTags: ['scope:access', 'scope:settings', 'scope:domain'],
            },
            {
              sourceTag: 'scope:adapters',
              onlyDependOnLibsWithTags: ['scope:contracts', 'scope:access', 'scope:settings', 'scope:domain'],
            },
            {
              sourceTag: 'scope:app',
              onlyDependOnLibsWithTags: [
                'scope:service',
                'scope:access',
                'scope:settings',
                'scope:adapters',
                'scope:ranking',
                'scope:retrieval',
                'scope:embeddings',
                'scope:vectors',
                'scope:columns',
                'scope:ordering',
                'scope:experiments',
                'scope:pipeline',
                'scope:contracts',
                'scope:domain',
              ],
            },
            { sourceTag: 'scope:page', onlyDependOnLibsWithTags: ['scope:client'] },
            { sourceTag: 'scope:composition', onlyDependOnLibsWithTags: ['*'] },
          ],
        },
      ],
      'no-restricted-syntax': ['error', ...style],
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-unnecessary-type-arguments': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: sources,
    ignores: [...compositionRoots, ...systemRooms, ...testFiles],
    rules: {
      'no-restricted-properties': ['error', ...wallClock.properties, ...timers.properties],
      'no-restricted-syntax': ['error', ...style, ...wallClock.syntax],
      'no-restricted-globals': ['error', ...timers.globals],
      'no-restricted-imports': ['error', { paths: [...wallClock.imports, ...timers.imports] }],
    },
  },
  {
    files: indexedRooms,
    ignores: testFiles,
    rules: { 'no-restricted-syntax': ['error', ...style, ...wallClock.syntax, indexed] },
  },
  {
    // Adapters of the outside world and the frame of every process wait for sockets and servers, and measure how long an
    // answer takes. They must not read the clock on the wall: what they decide never depends on the hour.
    files: ['libs/adapters/src/**/*.ts', 'libs/service/src/**/*.ts'],
    ignores: [...systemRooms, ...testFiles],
    rules: {
      'no-restricted-properties': ['error', ...wallClock.properties],
      'no-restricted-globals': 'off',
      'no-restricted-imports': ['error', { paths: wallClock.imports }],
    },
  },
  {
    files: ['**/*.test.ts', '**/*.suite.ts'],
    rules: { '@typescript-eslint/no-empty-function': 'off', '@typescript-eslint/unified-signatures': 'off' },
  },
  {
    files: ['**/*.cjs'],
    ...ts.configs.disableTypeChecked,
    languageOptions: {
      sourceType: 'commonjs',
      globals: { require: 'readonly', module: 'writable' },
      parserOptions: { projectService: false },
    },
    rules: { ...ts.configs.disableTypeChecked.rules, '@typescript-eslint/no-require-imports': 'off' },
  },
  { files: ['vitest.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
  prettier,
)
