import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findDuplicates } from './duplicates.ts'
import { sourcesOf } from './import-graph.ts'

const root = join(import.meta.dirname, '../..')
const least = 6
const twoEnds = 'The two ends of one answer: the page may not import what is not made for browsers.'

/** Files that may share lines, and why. */
const allowed: readonly { readonly files: readonly [string, string]; readonly reason: string }[] = [
  {
    files: ['apps/console/src/api/config.ts', 'apps/freshet/src/console/demo.ts'],
    reason: twoEnds,
  },
  ...(
    [
      ['system/samples.ts', 'console/operate/services.ts'],
      ['pipeline/layout.ts', 'console/operate/pipeline.ts'],
      ['sources/view.tsx', 'console/operate/sources.ts'],
      ['experiments/view.tsx', 'console/operate/experiments.ts'],
      ['import/types.ts', 'console/operate/import/jobs.ts'],
      ['import/types.ts', 'console/operate/import/plan-json.ts'],
      ['import/types.ts', 'import/options.ts'],
    ] as const
  ).map(([page, server]) => ({
    files: [`apps/console/src/operate/${page}`, `apps/freshet/src/${server}`] as const,
    reason: twoEnds,
  })),
]

/** The sources of ours: all TypeScript but what buf writes. */
function ours(): ReadonlyMap<string, string> {
  const files = ['libs', 'apps', 'test', 'proto', 'deploy'].flatMap(sourcesOf).filter((file) => !file.includes('/gen/'))
  return new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
}

describe('the sources', () => {
  const found = findDuplicates(ours(), least)
  const isAllowed = ({ first, second }: (typeof found)[number]) =>
    allowed.some(({ files }) => files.includes(first.file) && files.includes(second.file) && first.file !== second.file)

  it(`have no ${least} lines that occur twice without a reason`, () => {
    const unexplained = found.filter((duplicate) => !isAllowed(duplicate))
    const places = unexplained.map(({ first, second }) =>
      [first, second].map(({ file, from, to }) => `${file}:${from}-${to}`).join(' and '),
    )
    expect(places).toEqual([])
  })

  it('share lines wherever a reason is given', () => {
    const stale = allowed.filter(
      ({ files }) => !found.some(({ first, second }) => files.includes(first.file) && files.includes(second.file)),
    )
    expect(stale).toEqual([])
  })
})

describe('lines that occur twice', () => {
  const lines = (names: string) => names.split(' ').map((name) => `call(${name})`)

  it('are found within a file and across files, at their full length', () => {
    const long = lines('a b c d e f g h')
    const texts = new Map([
      ['one', [...long, 'other()', ...lines('u v w x y z'), 'more()', ...lines('u v w x y z')].join('\n')],
      ['two', ['first()', ...long].join('\n')],
    ])
    expect(findDuplicates(texts, 6)).toEqual([
      { lines: 6, first: { file: 'one', from: 10, to: 15 }, second: { file: 'one', from: 17, to: 22 } },
      { lines: 8, first: { file: 'one', from: 1, to: 8 }, second: { file: 'two', from: 2, to: 9 } },
    ])
  })

  it('are found whatever their indentation, comments, empty lines and closing brackets', () => {
    const plain = lines('a b c d e f').join('\n')
    const dressed = lines('a b c d e f')
      .flatMap((line) => ['', '  // a comment', `  ${line}`, '  })', '  /** of two', '   * lines */'])
      .join('\n')
    expect(
      findDuplicates(
        new Map([
          ['plain', plain],
          ['dressed', dressed],
        ]),
        6,
      ),
    ).toHaveLength(1)
  })

  it('are not reported if they are fewer, or imports', () => {
    const imports = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `import { ${name} } from './${name}.ts'`).join('\n')
    expect(
      findDuplicates(
        new Map([
          ['one', imports],
          ['two', imports],
        ]),
        6,
      ),
    ).toEqual([])
    const few = lines('a b c d e').join('\n')
    expect(
      findDuplicates(
        new Map([
          ['one', few],
          ['two', few],
        ]),
        6,
      ),
    ).toEqual([])
  })
})
