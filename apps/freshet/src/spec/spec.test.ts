import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LanguageError } from '@freshet/ranking/language/problem'
import { afterAll, describe, expect, it } from 'vitest'
import type { Terminal } from '../operations/terminal.ts'
import { runSpecCheck, runSpecDiff, runSpecFormat } from './command.ts'
import { runSpecExplain } from './explain.ts'
import { runSpecInit } from './init.ts'

const folder = mkdtempSync(join(tmpdir(), 'spec-'))
afterAll(() => rmSync(folder, { recursive: true }))

const home = join(import.meta.dirname, '../../../../libs/ranking/specs/home.rank')
const backend = 'wasm'
const small = 'spec a\ninput pin.age\nhead save: probability = linear(pin.age)\n'

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** What a command writes. */
async function written(run: (terminal: Terminal) => Promise<void>): Promise<string> {
  let text = ''
  const terminal: Terminal = {
    write: (part) => void (text += part),
    progress: { write: () => true },
    nowMs: () => 0,
    signal: new AbortController().signal,
  }
  await run(terminal)
  return text
}

describe('freshet spec', () => {
  it('check accepts the home spec that ships, without warnings', async () => {
    expect(await written((terminal) => runSpecCheck([home], {}, terminal))).toMatch(
      /^\S+home\.rank: home is plan [0-9a-f]{16}: \d+ inputs, \d+ nodes, 4 heads\n$/,
    )
  })

  it('check accepts a spec that extends it for another surface, and diff shows what that changes', async () => {
    const related = join(home, '../related.rank')
    expect(await written((terminal) => runSpecCheck([related], {}, terminal))).toMatch(
      /^\S+related\.rank: related is plan [0-9a-f]{16}: \d+ inputs, \d+ nodes, 4 heads\n$/,
    )
    const changes = await written((terminal) => runSpecDiff(home, related, {}, terminal))
    expect(changes).toContain('~ spec: home → related\n')
    expect(changes).toContain('+ alike: ')
    expect(changes).toMatch(/~ found_by: .* → .*candidate\.source_rank\.visual_neighbours\)\n/)
    expect(changes).not.toMatch(/^- /m)
  })

  it('check lists the mistakes of all files', async () => {
    const [one, two] = [file('one.rank', `${small}feature x = pin.ag\n`), file('two.rank', `${small}layer = 3\n`)]
    const failure = await written((terminal) => runSpecCheck([one, home, two], {}, terminal)).catch(
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(LanguageError)
    expect((failure as LanguageError).problems.map(({ span, code }) => [span.file, span.line, code])).toEqual([
      [one, 4, 'SPEC_UNKNOWN_NAME'],
      [two, 4, 'SPEC_SYNTAX'],
    ])
  })

  it('format --check accepts what format --write wrote', async () => {
    const path = file('wide.rank', 'spec   wide\n\n\ninput pin.age#age\nhead save:probability=linear(pin.age)\n')
    await expect(written((terminal) => runSpecFormat([path], { check: true }, terminal))).rejects.toThrow(
      /not formatted: .*wide\.rank/,
    )
    await written((terminal) => runSpecFormat([path], { write: true }, terminal))
    expect(readFileSync(path, 'utf8')).toBe(
      'spec wide\n\ninput pin.age  # age\nhead save: probability = linear(pin.age)\n',
    )
    expect(await written((terminal) => runSpecFormat([path, home], { check: true }, terminal))).toBe('2 formatted\n')
  })

  it('explain prints the same figures as JSON and as text', async () => {
    const explained = JSON.parse(
      await written((terminal) => runSpecExplain(home, { backend, json: true }, terminal)),
    ) as {
      hash: string
      perCandidate: number
    }
    const text = await written((terminal) => runSpecExplain(home, { backend }, terminal))
    expect(text).toContain(`plan ${explained.hash}`)
    expect(text).toContain(`once per candidate (about ${explained.perCandidate} multiply-adds)`)
    expect(explained.perCandidate).toBeGreaterThan(200)
    expect(await written((terminal) => runSpecExplain(home, { backend, dot: true }, terminal))).toMatch(
      /^digraph "home" \{/,
    )
  })

  it('diff names the statements that differ', async () => {
    const [old, young] = [
      file('old.rank', small),
      file('young.rank', small.replace('linear(pin.age)', 'linear(log1p(pin.age))')),
    ]
    expect(await written((terminal) => runSpecDiff(old, old, {}, terminal))).toBe('the same plan\n')
    expect(await written((terminal) => runSpecDiff(old, young, {}, terminal))).toMatch(
      /^~ head save: .*linear\(pin\.age, .* → .*linear\(log1p\(pin\.age\), .*\n$/,
    )
  })
})

describe('freshet spec init', () => {
  const lines = (...values: readonly object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('')

  it('writes a spec for rows that compiles, with a reason for what it takes and leaves out', async () => {
    const rows = file(
      'rows.jsonl',
      lines(
        {
          labels: { click: 1, dwell: 3.5 },
          values: { user: '1', hour: 9, price: 1200, recent: ['a', 'b'], fixed: 'x', 'odd name': 1 },
        },
        { labels: { click: 0, dwell: 0 }, values: { user: '2', hour: 3, price: 3, recent: [], fixed: 'x' } },
        { labels: { click: 0, dwell: 1 }, values: { user: '1', price: 40, recent: ['a'], fixed: 'x' } },
      ),
    )
    const text = await written((terminal) => runSpecInit(rows, terminal))
    expect(text).toContain('input hour: scalar  # 2 values from 3 to 9, missing in 33.3 %')
    expect(text).toContain('input recent: sequence[2] of category')
    expect(text).toContain('# left out: fixed has one value in all rows')
    expect(text).toContain('# left out: "odd name" is not a name that a spec can write')
    expect(text).toMatch(/head dwell: amount/)
    const spec = file('rows.rank', text)
    expect(await written((terminal) => runSpecCheck([spec], { rows: true }, terminal))).toMatch(/rows is plan/)
    expect(await written((terminal) => runSpecFormat([spec], { check: true }, terminal))).toBe('1 formatted\n')
  })

  it('writes a spec for a recording that compiles, only with features whose data are there', async () => {
    const engagement = (action: string) => ({
      engagement: { eventId: action, userId: 'u', action, pinId: 'p', occurredAt: '2026-01-01T00:00:00.000Z' },
    })
    const recording = file(
      'shop.jsonl',
      lines({ pin: { pinId: 'p', topics: ['cats'] } }, engagement('impression'), engagement('save'), { question: {} }),
    )
    const text = await written((terminal) => runSpecInit(recording, terminal))
    expect(text).toContain('input candidate.topic_affinity')
    expect(text).not.toContain('input candidate.creator_affinity')
    expect(text).toContain('no pin of the recording has a creator')
    expect(text).toMatch(/utility = 4 \* save/)
    const spec = file('shop.rank', text)
    expect(await written((terminal) => runSpecCheck([spec], {}, terminal))).toMatch(/shop is plan/)
  })

  it('names the line that it cannot read', async () => {
    const broken = file('broken.jsonl', `${lines({ labels: {}, values: {} })}{"labels"\n`)
    await expect(written((terminal) => runSpecInit(broken, terminal))).rejects.toThrow(/broken\.jsonl:2 is not JSON/)
  })
})
