import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { idOfKey, parseKeyFile } from '@freshet/access/key-file'
import { describeConfig } from '@freshet/service/setting-rows'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { z } from 'zod'

const root = join(import.meta.dirname, '../..')
const services = readdirSync(join(root, 'apps')).filter((app) => app !== 'freshet' && app !== 'console')

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
      {
        environment?: Record<string, string>
        volumes?: string[]
        ports?: string[]
        depends_on?: object
        entrypoint?: string[]
        command?: string[]
        build?: { args: { APP: string } }
      }
    >
  }

  it('A2: has the broker write where its volume is mounted', () => {
    const { environment, volumes } = compose.services['kafka']!
    expect(volumes).toEqual([`kafka:${environment?.['KAFKA_LOG_DIRS']}`])
  })

  it('runs every service', () => {
    expect(services.filter((app) => !(app in compose.services))).toEqual([])
  })

  it.each(services)('comes up closed: %s has keys, and waits for them', (app) => {
    const { environment, volumes, depends_on: waitsFor } = compose.services[app]!
    expect(environment).toMatchObject({
      FRESHET_ACCESS_KEYS_FILE: '/keys/keys.json',
      FRESHET_ACCESS_INTERNAL_KEY_FILE: '/keys/internal',
    })
    expect(environment).not.toHaveProperty('FRESHET_ACCESS_OPEN')
    expect(volumes).toContain('keys:/keys:ro')
    expect(waitsFor).toMatchObject({ keys: { condition: 'service_completed_successfully' } })
  })

  it('publishes admin calls on this machine only', () => {
    const ports = Object.values(compose.services).flatMap((service) => service.ports ?? [])
    expect(ports.filter((port) => port.endsWith(':8081'))).toEqual(['127.0.0.1:8081:8081'])
  })

  it('makes keys that the services accept, once', { timeout: 300_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'freshet-compose-'))
    try {
      const { entrypoint = [], command = [] } = compose.services['keys']!
      const bin = join(folder, 'bin')
      mkdirSync(bin)
      mkdirSync(join(folder, 'keys'))
      symlinkSync(process.execPath, join(bin, 'node'))
      // Only root may give files away.
      const script = command[0]!
        .replaceAll('$$', '$')
        .replaceAll('/keys/', `${folder}/keys/`)
        .replace(/chown .*/, '')
      const run = (): string =>
        execFileSync(entrypoint[0]!, [...entrypoint.slice(1), script], {
          cwd: root,
          encoding: 'utf8',
          env: { PATH: `${bin}:${process.env['PATH']}` },
        })
      expect(run()).toContain('run --rm keys')
      const read = (name: string): string => readFileSync(join(folder, 'keys', name), 'utf8')
      const { keys } = parseKeyFile(read('keys.json'), 'keys.json')
      expect(keys.map(({ kind }) => kind).sort()).toEqual(['admin', 'internal', 'server', 'write'])
      for (const { kind, id } of keys) expect(idOfKey(read(kind).trim())).toBe(id)
      expect(read('jwt-secret').trim()).toMatch(/^[0-9a-f]{64}$/)
      run()
      expect(parseKeyFile(read('keys.json'), 'keys.json').keys).toEqual(keys)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.each(services)('gives %s only settings that it has', async (app) => {
    const known = await variablesOf(app)
    const given = Object.keys(compose.services[app]!.environment ?? {})
    expect(given.filter((name) => !known.has(name))).toEqual([])
  })
})
