import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'SECURITY.md'), 'utf8')

/** The rows of tables whose last two columns are a file and the name of a test. */
const claims = [...page.matchAll(/^\|(.*)\| `([^`|]+)` \| ([^|]+) \|$/gm)].map(
  ([, claim = '', file = '', test = '']) => ({
    claim: claim.trim(),
    file,
    test: test.trim(),
  }),
)

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

describe('SECURITY.md', () => {
  it('has claims', () => {
    expect(claims.length).toBeGreaterThan(15)
    expect(claims[0]!.claim).not.toBe('')
  })

  it.each(claims)('names a test that exists: $test', ({ file, test }) => {
    expect(existsSync(join(root, file)), file).toBe(true)
    const text = readFileSync(join(root, file), 'utf8')
    expect(text, file).toContain(test)
    // The name begins or goes on after `it(`, `test(` or the rows of `each`; a skipped test does not count.
    const places = [...text.matchAll(new RegExp(escaped(test), 'g'))].map(({ index }) => text.slice(0, index))
    const runs = places.filter((before) => /(\b(it|test)|\)|`)\(\s*['"`][^'"`\n]*$/.test(before))
    expect(runs, `${test} in ${file} does not run`).not.toEqual([])
  })

  it('has a test for every claim of a table with tests', () => {
    const rows = page.split('\n').filter((line) => /\.test\.ts/.test(line) && line.startsWith('|'))
    expect(rows.length).toBe(claims.length)
  })
})
