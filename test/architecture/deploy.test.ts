import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeConfig } from '@freshet/service/config'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { z } from 'zod'

const root = join(import.meta.dirname, '../..')
const services = readdirSync(join(root, 'apps')).filter((app) => app !== 'freshet')

async function variablesOf(app: string): Promise<Set<string>> {
  const { processSchema } = (await import(/* @vite-ignore */ join(root, 'apps', app, 'src/config.ts'))) as {
    processSchema: z.ZodObject
  }
  return new Set(describeConfig(processSchema).map(({ env }) => env))
}

describe('the local compose file', () => {
  const compose = parse(readFileSync(join(root, 'deploy/local/compose.yaml'), 'utf8'), { merge: true }) as {
    services: Record<string, { environment?: Record<string, string>; build?: { args: { APP: string } } }>
  }

  it('runs every service', () => {
    expect(services.filter((app) => !(app in compose.services))).toEqual([])
  })

  it.each(services)('gives %s only settings that it has', async (app) => {
    const known = await variablesOf(app)
    const given = Object.keys(compose.services[app]!.environment ?? {})
    expect(given.filter((name) => !known.has(name))).toEqual([])
  })
})

describe('the chart', () => {
  const values = parse(readFileSync(join(root, 'deploy/helm/freshet/values.yaml'), 'utf8')) as {
    services: Record<string, { ports: Record<string, number>; needs: string[] }>
  }

  it.each(services)('gives %s only settings that it has', async (app) => {
    const known = await variablesOf(app)
    const { ports, needs } = values.services[app]!
    const given = [
      'FRESHET_LOG_LEVEL',
      'FRESHET_OPERATIONS_HOST',
      ...Object.keys(ports).flatMap((port) => [
        `FRESHET_${port.toUpperCase()}_HOST`,
        `FRESHET_${port.toUpperCase()}_PORT`,
      ]),
      ...(needs.includes('kafka') ? ['FRESHET_KAFKA_BROKERS'] : []),
      ...(needs.includes('redis') ? ['FRESHET_REDIS_URL'] : []),
      ...(app === 'blender' ? ['FRESHET_CANDIDATE_SERVICE_ADDRESS', 'FRESHET_RANKER_ADDRESS'] : []),
    ]
    expect(given.filter((name) => !known.has(name))).toEqual([])
  })
})
