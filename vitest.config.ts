import { defineConfig } from 'vitest/config'

/** Unit tests run in parallel; those that start servers or processes run one file at a time. */
export default defineConfig({
  test: {
    // `npm run coverage`: what tests in this process run through. What they start as another process is not seen.
    coverage: {
      provider: 'v8',
      include: ['libs/*/src/**/*.ts', 'apps/*/src/**/*.ts'],
      exclude: ['**/gen/**', '**/*.{test,suite,fixture,harness,builders}.ts', '**/testing.ts', '**/testing/**'],
      reporter: ['text-summary', 'json-summary', 'html'],
      reportsDirectory: 'coverage',
      // Floors of lines, percent, a little below what the library's own unit tests reach.
      thresholds: {
        'libs/columns/src/**': { lines: 75 },
        'libs/domain/src/**': { lines: 82 },
        'libs/pipeline/src/**': { lines: 98 },
      },
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['libs/**/*.test.ts', 'apps/**/*.test.ts', 'proto/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.contract.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'contract',
          include: ['libs/**/*.contract.test.ts', 'apps/**/*.contract.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'architecture',
          include: ['test/architecture/**/*.test.ts', 'deploy/**/*.test.ts'],
          // An API server of Kubernetes is tried where one is named, and missed nowhere else.
          exclude: process.env['FRESHET_TEST_KUBECONFIG'] ? [] : ['deploy/helm/api-server.test.ts'],
          testTimeout: 60_000,
        },
      },
      { test: { name: 'golden', include: ['test/golden/**/*.test.ts'] } },
      {
        test: {
          name: 'system',
          include: [
            'test/system/**/*.test.ts',
            'test/simulation/**/*.test.ts',
            'test/chaos/**/*.test.ts',
            'test/feeds/**/*.test.ts',
            'test/hostile/**/*.test.ts',
            'test/sdk/**/*.test.ts',
            'test/console/**/*.test.ts',
            'test/quality/**/*.test.ts',
            'test/worlds/**/*.test.ts',
            'test/benchmarks/**/*.test.ts',
          ],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
