import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { topics } from '@freshet/contracts/topics'
import { describe, expect, it } from 'vitest'
import { defaultsOf, retentionRows, timeText } from './retention.ts'

const root = join(import.meta.dirname, '../..')
const readme = readFileSync(join(root, 'apps/freshet/README.md'), 'utf8')
const sectionOf = (title: string): string => readme.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
const rowsOf = (title: string): readonly (readonly string[])[] =>
  sectionOf(title)
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| what ') && !line.startsWith('| --- '))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
const erasure = rowsOf('What remains after an erasure, and for how long')
const retention = rowsOf('How long data is kept')

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

/** Parts of the names of messages that contain data of users. */
const ofUsers = ['.engagement.', '.feed.']

describe('A26 · the table of what remains after an erasure', () => {
  it('names every topic with data of users, and whether its records end', () => {
    for (const [name, { message, retentionMs }] of Object.entries(topics)) {
      if (!ofUsers.some((part) => message.includes(part))) continue
      const row = erasure.find(([what]) => what?.includes(`\`${name}\``))
      expect(row, `${name} has no row`).toBeDefined()
      expect(row?.[1]).toContain(retentionMs === null ? 'permanently' : 'retention ends')
    }
  })

  it.each(erasure)('has a test for the row of %s', (_what, _after, file = '', test = '') => {
    const path = join(root, file.replaceAll('`', ''))
    expect(existsSync(path), file).toBe(true)
    expect(readFileSync(path, 'utf8')).toMatch(new RegExp(`\\b(it|test)\\(\\s*'${escaped(test)}'`))
  })

  it('names only settings of the table of how long data is kept, and the one bound by rows', () => {
    const named = erasure.flatMap(([, after = '']) =>
      [...after.matchAll(/`([a-z]+\.[\w.]+[a-z])`/gi)].map(([, name]) => name),
    )
    expect(named).toContain('trainer.checkpointIntervalMs')
    const known = retention.flatMap(([what = '', , , setting = '']) => [what, setting].join())
    for (const name of named)
      if (name !== 'trainer.joiner.maxRows')
        expect(
          known.some((text) => text.includes(`\`${name}\``)),
          name,
        ).toBe(true)
  })
})

/** Settings that end in a time and keep nothing for it. */
const keepNothing = new Set([
  // What counts, or how late it may come: nothing is stored or deleted by them.
  'fold.dedupeWindowMs',
  'ingest.maxEventAgeDays',
  'candidates.retrieval.sources.fresh-followed.parameters.maxAgeMs',
  'blender.ordering.freshFloor.maxAgeMs',
  'trainer.joiner.windowMs',
  'trainer.joiner.lateWindowMs',
  'grpc.maxConnectionAgeMs',
])

describe('the table of how long data is kept', () => {
  it('has every topic and every setting by which something ends', async () => {
    const rows = await retentionRows()
    expect(rows.length).toBeGreaterThan(Object.keys(topics).length)
    for (const app of ['event-ingest', 'feature-updater', 'candidate-service', 'ranker', 'trainer', 'blender'])
      for (const path of (await defaultsOf(app)).keys())
        if (/(Ttl|Age|Window|Retention)(Ms|Days)$/i.test(path) && !keepNothing.has(path))
          expect(
            rows.some(([, , , setting]) => setting === `\`${path}\``),
            `${path} has no row`,
          ).toBe(true)
  })

  it('shows times in whole units', () => {
    expect([86_400_000, 172_800_000, 7_200_000, 90_000, 1_500].map(timeText)).toEqual([
      '24 h',
      '2 days',
      '2 h',
      '90 s',
      '1500 ms',
    ])
  })

  it('shows the times of the code where no setting says them', () => {
    const read = (file: string): string => readFileSync(join(root, file), 'utf8')
    const row = (what: string): string => retention.find(([name]) => name === what)?.join(' ') ?? ''
    expect(row('events that wait in the SDK')).toContain('at most 7 days')
    expect(read('libs/client/src/queue.ts')).toContain('maxAgeMs = 604_800_000')
    expect(row('signatures of server keys')).toContain('5 min')
    expect(row("files of the console's Import")).toContain('a day')
  })
})
