import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readmeFile, readmeTables, withTables } from './readme-tables.ts'

const readme = readFileSync(readmeFile, 'utf8')
const root = join(import.meta.dirname, '../..')
const scripts = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> })
  .scripts

describe('the README', () => {
  it('has every table as the code has it (npm run readme:update)', async () => {
    expect(withTables(readme, await readmeTables())).toBe(readme)
  })

  it('links to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map((match) => match[1]!)
    expect(links.length).toBeGreaterThan(10)
    expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([])
  })

  it('names only npm scripts that exist', () => {
    const named = [...readme.matchAll(/npm run ([a-z:-]+)/g)].map((match) => match[1]!)
    expect(named.length).toBeGreaterThan(3)
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })

  it('lists the code of every kind of error that is thrown', () => {
    const listed = new Set([...readme.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1]!))
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

  it('names only code paths that exist', () => {
    const named = [...readme.matchAll(/`((?:apps|libs|test|proto|deploy)\/[\w./-]+)`/g)].map((match) => match[1]!)
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})
