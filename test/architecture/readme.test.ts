import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readReadmes, readmeTables, root, withTables } from './readme-tables.ts'

const readmes = readReadmes()
const scripts = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> })
  .scripts

/** What `find` finds in every README and `isGood` refuses, each with its file. */
function badOnes(find: RegExp, isGood: (found: string, file: string) => boolean): string[] {
  return [...readmes].flatMap(([file, text]) =>
    [...text.matchAll(find)].filter(([, found]) => !isGood(found!, file)).map(([, found]) => `${file}: ${found}`),
  )
}

describe('the READMEs', () => {
  it('have tables that match the code (npm run readme:update)', async () => {
    for (const [file, text] of withTables(readmes, await readmeTables())) expect(text, file).toBe(readmes.get(file))
  })

  it('begin with a root README that takes five minutes to read', () => {
    expect(Buffer.byteLength(readmes.get('README.md')!)).toBeLessThanOrEqual(10_240)
  })

  it('link to files that exist', () => {
    const exists = (link: string, file: string) => existsSync(join(root, dirname(file), link))
    expect(badOnes(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g, exists)).toEqual([])
    expect(readmes.get('README.md')!.match(/\]\(/g)!.length).toBeGreaterThan(10)
  })

  it('name only npm scripts that exist', () => {
    expect(badOnes(/npm run (?:-s )?([a-z:-]+)/g, (name) => name in scripts)).toEqual([])
  })

  it('name only code paths that exist', () => {
    const exists = (path: string, file: string) =>
      existsSync(join(root, path)) || existsSync(join(root, dirname(file), path))
    expect(badOnes(/`((?:apps|libs|test|proto|deploy)\/[\w./-]+)`/g, exists)).toEqual([])
  })

  it('list the code of every error that is thrown', () => {
    const listed = new Set(
      [...readmes.get('libs/contracts/README.md')!.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1]!),
    )
    const sources = ['apps', 'libs'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('node_modules'))
        .map((path) => readFileSync(join(root, folder, path), 'utf8')),
    )
    const thrown = sources.flatMap((text) =>
      [...text.matchAll(/readonly code = '([A-Z_]+)'|new \w+Error\(\s*'([A-Z]+_[A-Z_]+)'/g)].map(
        (match) => match[1] ?? match[2]!,
      ),
    )
    expect(thrown.length).toBeGreaterThan(30)
    expect([...new Set(thrown)].filter((code) => !listed.has(code))).toEqual([])
  })
})
