import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './readme-tables.ts'

const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** Entries of the changelog, each on one line. */
function entriesOf(changelog: string): readonly string[] {
  return changelog
    .split(/\n(?=- )/)
    .slice(1)
    .map((entry) => entry.split('\n\n')[0]!.replaceAll(/\s+/g, ' ').slice(2))
}

/** What an entry asks of whoever upgrades: bold words that do not open it, and sentences that give an order of updates. */
function instructionsOf(entry: string): readonly string[] {
  const bold = [...entry.matchAll(/\*\*[^*]+\*\*/g)].filter(({ index }) => index > 0).map(([text]) => text)
  const ordered =
    entry.match(/\bUpdate (?:all|the) [^.]*\.|\bupdate readers before \w+|While updaters of [^(]*?(?= \()/g) ?? []
  return [...bold, ...ordered]
}

describe('UPGRADING.md', () => {
  const page = read('UPGRADING.md').replaceAll(/\s+/g, ' ')
  const instructions = entriesOf(read('CHANGELOG.md')).flatMap(instructionsOf)

  it('has what the changelog asks of whoever upgrades, word for word', () => {
    expect(instructions.length).toBeGreaterThan(8)
    expect(instructions.filter((text) => !page.includes(text))).toEqual([])
  })

  it.each(['UPGRADING.md', 'deploy/BACKUP.md', 'deploy/SCALING.md'])('%s links to files that exist', (file) => {
    const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, link]) => link!)
    expect(links.filter((link) => !existsSync(join(root, dirname(file), link)))).toEqual([])
    expect(links.length).toBeGreaterThan(0)
  })
})

describe('instructions of an entry', () => {
  it.each([
    ['Limits. **Behind a proxy set `x`**, or else.', ['**Behind a proxy set `x`**']],
    ['**The chart** was rewritten.', []],
    [
      'Weights. Update all services before you send the first weight.',
      ['Update all services before you send the first weight.'],
    ],
  ])('%s', (entry, found) => {
    expect(instructionsOf(entry)).toEqual(found)
  })
})
