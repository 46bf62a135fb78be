import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
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

  const brokers = Object.entries(compose.services).filter(([name]) => name.startsWith('kafka-'))

  it('A2: has every broker write where its volume is mounted', () => {
    expect(brokers).toHaveLength(3)
    for (const [name, { environment, volumes }] of brokers)
      expect(volumes).toEqual([`${name}:${environment?.['KAFKA_LOG_DIRS']}`])
  })

  it('has the brokers keep each record three times, and accept it when two have it', () => {
    const votes = brokers.map(([name], i) => `${i + 1}@${name}:9093`).join(',')
    for (const [at, [name, { environment }]] of brokers.entries())
      expect(environment).toMatchObject({
        KAFKA_NODE_ID: String(at + 1),
        KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${name}:9092`,
        KAFKA_CONTROLLER_QUORUM_VOTERS: votes,
        KAFKA_MIN_INSYNC_REPLICAS: '2',
        KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '3',
      })
    expect(compose.services['topics']!.command).toContain('--replication-factor=3')
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

  it('publishes ports on this machine only, unless FRESHET_BIND says otherwise; those of admins never', () => {
    const ports = Object.values(compose.services).flatMap((service) => service.ports ?? [])
    expect(ports.length).toBeGreaterThanOrEqual(4)
    for (const port of ports)
      expect(port).toMatch(/:(8080|8070|7070)$/.test(port) ? /^\$\{FRESHET_BIND:-127\.0\.0\.1\}:/ : /^127\.0\.0\.1:/)
  })

  it('makes keys that the services accept, once', { timeout: 300_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'freshet-compose-'))
    try {
      const run = (...given: readonly string[]): string =>
        execFileSync(process.execPath, ['deploy/local/keys.js', ...given], {
          cwd: root,
          encoding: 'utf8',
          env: { KEYS_FOLDER: folder },
          stdio: ['ignore', 'pipe', 'ignore'],
        })
      expect(run()).toContain('run --rm keys')
      const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
      const { keys } = parseKeyFile(read('keys.json'), 'keys.json')
      expect(keys.map(({ kind }) => kind).sort()).toEqual(['admin', 'internal', 'server', 'write'])
      for (const { kind, id } of keys) expect(idOfKey(run(kind).trim())).toBe(id)
      expect(read('jwt-secret').trim()).toMatch(/^[0-9a-f]{64}$/)
      expect(run('token', 'ada')).toMatch(/^ey[\w-]+\.[\w-]+\.[\w-]+\n$/)
      expect(() => run('wrong')).toThrow()
      expect(parseKeyFile(read('keys.json'), 'keys.json').keys).toEqual(keys)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('has Prometheus ask every service, and gives it and Grafana files that exist', () => {
    const { scrape_configs: jobs } = parse(readFileSync(join(root, 'deploy/local/prometheus.yaml'), 'utf8')) as {
      scrape_configs: {
        job_name: string
        honor_labels?: boolean
        dns_sd_configs: { names: string[]; port: number }[]
      }[]
    }
    expect(jobs.map((job) => job.job_name).sort()).toEqual([...services].sort())
    for (const job of jobs) {
      expect(job.dns_sd_configs).toMatchObject([{ names: [job.job_name], port: 9464 }])
      expect(job.honor_labels).toBe(true)
    }
    expect(compose.services['grafana']!.environment).toMatchObject({
      GF_AUTH_DISABLE_LOGIN_FORM: 'true',
      GF_AUTH_BASIC_ENABLED: 'false',
    })
    for (const name of ['prometheus', 'grafana']) {
      const { volumes = [], ...service } = compose.services[name]!
      expect(service).toMatchObject({ profiles: ['monitoring'] })
      const files = volumes.filter((volume) => volume.startsWith('.'))
      expect(files.length).toBeGreaterThan(1)
      expect(files.every((volume) => volume.endsWith(':ro'))).toBe(true)
      expect(
        files.map((volume) => volume.split(':')[0]!).filter((path) => !existsSync(join(root, 'deploy/local', path))),
      ).toEqual([])
    }
  })

  const promtool = spawnSync('promtool', ['--version']).error === undefined
  it.skipIf(!promtool)('has a configuration that Prometheus accepts (skipped without promtool)', () => {
    const file = join(root, 'deploy/local/prometheus.yaml')
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'config', '--syntax-only', file], {
      encoding: 'utf8',
    })
    expect(status, `${stdout}${stderr}`).toBe(0)
  })

  it.each(services)('gives %s only settings that it has', async (app) => {
    const known = await variablesOf(app)
    const given = Object.keys(compose.services[app]!.environment ?? {})
    expect(given.filter((name) => !known.has(name))).toEqual([])
  })
})
