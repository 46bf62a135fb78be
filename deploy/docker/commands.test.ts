import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { imageNames } from '../../test/harness/images.ts'

const ours = new RegExp(`/(${imageNames.join('|')}):`)

/** The first words of all commands that a manifest gives to containers of our images, with what they are for. */
function programsIn(part: unknown): readonly string[] {
  if (typeof part !== 'object' || part === null) return []
  const { image } = part as { image?: unknown }
  if (typeof image === 'string') return ours.test(image) ? commandsOf(part) : []
  return Object.values(part).flatMap(programsIn)
}

function commandsOf(part: unknown): readonly string[] {
  if (typeof part !== 'object' || part === null) return []
  return Object.entries(part).flatMap(([key, value]: [string, unknown]) => {
    if (!Array.isArray(value)) return commandsOf(value)
    const [first, second] = value as unknown[]
    if (key === 'command' || key === 'entrypoint') return [String(first)]
    return key === 'test' && first === 'CMD' ? [String(second)] : key === 'test' ? [String(first)] : []
  })
}

describe('what containers of our images run', () => {
  const golden = join(import.meta.dirname, '../helm/golden')

  it.each(readdirSync(golden))('is node, the only program that they have: %s of the chart', (file) => {
    const documents = parseAllDocuments(readFileSync(join(golden, file), 'utf8')).map((each) => each.toJS() as unknown)
    const programs = documents.flatMap(programsIn)
    // The job of the topics and the hooks before a stop.
    expect(programs.length).toBeGreaterThan(0)
    expect(new Set(programs)).toEqual(new Set(['node']))
  })

  it('is node, the only program that they have: the compose file', () => {
    const compose = parse(readFileSync(join(import.meta.dirname, '../local/compose.yaml'), 'utf8'), {
      merge: true,
    }) as unknown
    const programs = programsIn(compose)
    expect(programs.length).toBeGreaterThan(5)
    expect(new Set(programs)).toEqual(new Set(['node']))
  })
})
