import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeConfig } from '@freshet/service/setting-rows'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { z } from 'zod'

const root = join(import.meta.dirname, '../..')
const services = readdirSync(join(root, 'apps')).filter((app) => app !== 'freshet')

async function settingsOf(app: string): Promise<ReturnType<typeof describeConfig>> {
  const { processSchema } = (await import(/* @vite-ignore */ join(root, 'apps', app, 'src/config.ts'))) as {
    processSchema: z.ZodObject
  }
  return describeConfig(processSchema)
}

async function variablesOf(app: string): Promise<Set<string>> {
  return new Set((await settingsOf(app)).map(({ env }) => env))
}

describe('A27 · services on one machine', () => {
  it('listen on different ports', async () => {
    const ports = await Promise.all(
      services.map(async (app) =>
        (await settingsOf(app)).filter(({ path }) => path.endsWith('.port')).map((row) => row.default),
      ),
    )
    expect(ports.flat().length).toBeGreaterThanOrEqual(services.length)
    expect(new Set(ports.flat()).size).toBe(ports.flat().length)
  })
})

describe('the local compose file', () => {
  const compose = parse(readFileSync(join(root, 'deploy/local/compose.yaml'), 'utf8'), { merge: true }) as {
    services: Record<
      string,
      { environment?: Record<string, string>; volumes?: string[]; build?: { args: { APP: string } } }
    >
  }

  it('A2: has the broker write where its volume is mounted', () => {
    const { environment, volumes } = compose.services['kafka']!
    expect(volumes).toEqual([`kafka:${environment?.['KAFKA_LOG_DIRS']}`])
  })

  it('runs every service', () => {
    expect(services.filter((app) => !(app in compose.services))).toEqual([])
  })

  it.each(services)('gives %s only settings that it has', async (app) => {
    const known = await variablesOf(app)
    const given = Object.keys(compose.services[app]!.environment ?? {})
    expect(given.filter((name) => !known.has(name))).toEqual([])
  })
})
