import js from '@eslint/js'
import nx from '@nx/eslint-plugin'
import prettier from 'eslint-config-prettier'
import ts from 'typescript-eslint'

const below = ['scope:domain']
const clockMessage =
  'Times and chance come with events, requests, a Clock or a Random; only the composition root asks the system.'

export default ts.config(
  { ignores: ['**/node_modules/**', '**/gen/**', '**/assembly/**', '**/*.js', '**/*.mjs', '**/dist/**'] },
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
            { sourceTag: 'scope:columns', onlyDependOnLibsWithTags: [] },
            { sourceTag: 'scope:pipeline', onlyDependOnLibsWithTags: [] },
            { sourceTag: 'scope:client', onlyDependOnLibsWithTags: [] },
            { sourceTag: 'scope:contracts', onlyDependOnLibsWithTags: below },
            { sourceTag: 'scope:vectors', onlyDependOnLibsWithTags: ['scope:columns', 'scope:domain'] },
            { sourceTag: 'scope:embeddings', onlyDependOnLibsWithTags: ['scope:columns', 'scope:domain'] },
            {
              sourceTag: 'scope:retrieval',
              onlyDependOnLibsWithTags: ['scope:columns', 'scope:vectors', 'scope:embeddings', 'scope:domain'],
            },
            { sourceTag: 'scope:ranking', onlyDependOnLibsWithTags: below },
            { sourceTag: 'scope:service', onlyDependOnLibsWithTags: below },
            { sourceTag: 'scope:adapters', onlyDependOnLibsWithTags: ['scope:contracts', 'scope:domain'] },
            {
              sourceTag: 'scope:app',
              onlyDependOnLibsWithTags: [
                'scope:service',
                'scope:adapters',
                'scope:ranking',
                'scope:retrieval',
                'scope:embeddings',
                'scope:vectors',
                'scope:columns',
                'scope:pipeline',
                'scope:contracts',
                'scope:domain',
              ],
            },
            { sourceTag: 'scope:composition', onlyDependOnLibsWithTags: ['*'] },
          ],
        },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a const object or a union.' },
        { selector: 'ExportDefaultDeclaration', message: 'Name what you export.' },
      ],
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
    files: [
      'libs/domain/src/**/*.ts',
      'libs/pipeline/src/**/*.ts',
      'libs/columns/src/**/*.ts',
      'libs/vectors/src/**/*.ts',
      'libs/embeddings/src/**/*.ts',
      'libs/retrieval/src/**/*.ts',
      'libs/ranking/src/**/*.ts',
    ],
    ignores: ['**/*.test.ts', '**/*.suite.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: clockMessage },
        { object: 'Math', property: 'random', message: clockMessage },
        { object: 'performance', property: 'now', message: clockMessage },
      ],
    },
  },
  {
    files: ['**/*.test.ts', '**/*.suite.ts'],
    rules: { '@typescript-eslint/no-empty-function': 'off', '@typescript-eslint/unified-signatures': 'off' },
  },
  { files: ['vitest.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
  prettier,
)
