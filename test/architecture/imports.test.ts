import { describe, expect, it } from 'vitest'
import { circlesIn, readImportGraph } from './import-graph.ts'

const graph = readImportGraph(['libs', 'apps', 'test', 'proto', 'deploy'])

/** Files that nothing imports, because somebody starts them: by a script of package.json, a README or another process. */
const programs = [
  /^apps\/[^/]+\/src\/main\.tsx?$/,
  /^(apps|libs)\/[^/]+\/(examples|scripts)\//,
  /^test\/(.+\/)?run\.ts$/,
  /^test\/feeds\/read-your-writes\.ts$/,
  /^test\/benchmarks\/(servers\/|(compare|profile|soak)\.ts$)/,
  /^test\/quality\/(five-processes|frappe|reranked|synthetic)\.ts$/,
  /^test\/chaos\/upgrade\.ts$/,
  /^test\/sdk\/cost\.ts$/,
  /^test\/console\/(figures|screenshots)\.ts$/,
  /^proto\/(breaking|generate)\.ts$/,
  /^deploy\/(release\/run|docker\/(compare|figures))\.ts$/,
  // Started by the Dockerfile.
  /^deploy\/docker\/image\/(lean|packages|sources)\.ts$/,
  // Threads.
  /^libs\/pictures\/src\/(embedding|pack)-worker\.ts$/,
  // What the SDK is built from.
  /^libs\/client\/src\/(browser|events|node)\.ts$/,
  // Processes that a test starts and kills.
  /^test\/hostile\/(flood|target)\.ts$/,
  /^test\/system\/models\/publish\.ts$/,
  /^libs\/service\/src\/test-program\.ts$/,
  /^libs\/adapters\/src\/testing\/group-member\.ts$/,
  /\.test\.ts$/,
]

describe('imports', () => {
  it('make a graph that is not empty', () => {
    expect(graph.size).toBeGreaterThan(500)
    expect([...graph.values()].flat().length).toBeGreaterThan(2_000)
  })

  it('have no circle, not even for types', () => {
    expect(circlesIn(graph)).toEqual([])
  })

  it('reach every file that is not a program or a test', () => {
    const imported = new Set([...graph.values()].flat())
    const dead = [...graph.keys()].filter((file) => !imported.has(file) && !programs.some((name) => name.test(file)))
    expect(dead).toEqual([])
  })
})

describe('circles', () => {
  it.each([
    ['two files', { a: ['b'], b: ['a'], c: ['a'] }, [['a', 'b']]],
    ['a file and itself', { a: ['a'] }, [['a']]],
    ['a long way round, beside a way that ends', { a: ['b', 'd'], b: ['c'], c: ['a'], d: [] }, [['a', 'b', 'c']]],
    [
      'two circles, one behind the other',
      { a: ['b'], b: ['a', 'c'], c: ['d'], d: ['c'] },
      [
        ['c', 'd'],
        ['a', 'b'],
      ],
    ],
    ['no circle where two ways lead to one file', { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, []],
  ])('are found: %s', (_, edges: Record<string, string[]>, circles) => {
    expect(circlesIn(new Map(Object.entries(edges)))).toEqual(circles)
  })
})
