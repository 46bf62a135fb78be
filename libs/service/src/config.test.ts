import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { wholeSetting } from '@freshet/settings/setting'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadConfig, redactConfig } from './config.ts'
import { ConfigError, exitCodes } from './errors.ts'
import { describeConfig, envName } from './setting-rows.ts'
import { grpcSettings, serviceSettings } from './settings.ts'
import { serviceLinksOf } from './testing.ts'

const schema = z.object({
  ...serviceSettings(9464),
  grpc: z.object(grpcSettings(7070)),
  maxEvents: wholeSetting(1000, { description: 'How many events', unit: 'events', min: 1, max: 5000 }),
  brokers: z.array(z.string().min(1)).default([]).meta({ description: 'Where Kafka is' }),
  strict: z.boolean().default(false).meta({ description: 'Whether to be strict' }),
  redisUrl: z.string().nullable().default(null).meta({ description: 'Where Redis is' }),
  password: z.string().min(3).default('geheim').meta({ description: 'A password', secret: true }),
})

const folder = mkdtempSync(join(tmpdir(), 'freshet-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(content: string): string {
  const path = join(mkdtempSync(join(folder, 'config-')), 'config.json')
  writeFileSync(path, content)
  return path
}

function problemsOf(load: () => unknown): readonly string[] {
  try {
    load()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).exitCode).toBe(exitCodes.config)
    return (error as ConfigError).problems
  }
  throw new Error('no error')
}

describe('loadConfig', () => {
  it('returns the defaults if nothing is set', () => {
    const config = loadConfig(schema, { env: {} })
    expect(config.grpc.port).toBe(7070)
    expect(config.log.level).toBe('info')
    expect(config.brokers).toEqual([])
  })

  it('lets the file win over defaults, the environment over the file, the command line over both', () => {
    const path = file('{"maxEvents": 2, "grpc": {"port": 2, "host": "a"}, "strict": true}')
    const config = loadConfig(schema, {
      env: { FRESHET_CONFIG: path, FRESHET_GRPC_PORT: '3', FRESHET_MAX_EVENTS: '3' },
      overrides: { maxEvents: '4' },
    })
    expect(config).toMatchObject({ maxEvents: 4, strict: true, grpc: { port: 3, host: 'a' } })
  })

  it('reads lists, switches and null from text', () => {
    const config = loadConfig(schema, {
      env: { FRESHET_BROKERS: 'a:1, b:2', FRESHET_STRICT: 'true', FRESHET_REDIS_URL: 'redis://x' },
    })
    expect(config).toMatchObject({ brokers: ['a:1', 'b:2'], strict: true, redisUrl: 'redis://x' })
    expect(loadConfig(schema, { env: {}, overrides: { redisUrl: 'null' } }).redisUrl).toBeNull()
  })

  it('lists all problems at once, each with its source and the allowed values', () => {
    const path = file('{"grcp": {"port": 1}, "maxEvents": "12"}')
    const problems = problemsOf(() =>
      loadConfig(schema, {
        env: { FRESHET_CONFIG: path, FRESHET_GRPC_PORT: '99999', FRESHET_MAX_EVENT: '1', FRESHET_STRICT: 'yes' },
        overrides: { 'log.levle': 'info' },
      }),
    )
    const text = problems.join('\n')
    expect(problems).toHaveLength(6)
    expect(text).toContain(`grcp.port (from ${path}) is not a setting; did you mean grpc.port?`)
    expect(text).toContain(
      'FRESHET_MAX_EVENT (from the environment) is not a setting; did you mean FRESHET_MAX_EVENTS?',
    )
    expect(text).toContain('--log.levle (from the command line) is not a setting; did you mean --log.level?')
    expect(text).toMatch(/grpc\.port = 99999 \(from FRESHET_GRPC_PORT\): .*65535.*0–65535/)
    expect(text).toMatch(/maxEvents = "12" \(from .*config\.json\): .*number.*1–5000 events/)
    expect(text).toMatch(/strict = "yes" \(from FRESHET_STRICT\): .*boolean/)
  })

  it('accepts a group as a JSON object; a single setting wins over it', () => {
    const env = { FRESHET_GRPC_PORT: '7', FRESHET_GRPC: '{"port": 5, "host": "a"}' }
    expect(loadConfig(schema, { env }).grpc).toMatchObject({ port: 7, host: 'a' })
    expect(loadConfig(schema, { env: {}, overrides: { grpc: '{"port": 5}' } }).grpc.port).toBe(5)
    expect(problemsOf(() => loadConfig(schema, { env: { FRESHET_GRPC: '{"prot": 5}' } }))).toEqual([
      'grpc.prot (from FRESHET_GRPC) is not a setting; did you mean grpc.port?',
    ])
  })

  it('rejects an unknown group that is empty, with the nearest known name', () => {
    const load = (group: string) => () => loadConfig(schema, { env: { FRESHET_CONFIG: file(`{"${group}": {}}`) } })
    expect(load('grpc')()).toMatchObject({ grpc: { port: 7070 } })
    expect(problemsOf(load('grcp'))).toEqual([
      expect.stringMatching(/^grcp \(from .*config\.json\) is not a setting; did you mean grpc\?$/),
    ])
    expect(problemsOf(load('magic'))).toEqual([expect.stringMatching(/^magic \(from .*\) is not a setting$/)])
  })

  it('names the successor of a removed key', () => {
    const problems = problemsOf(() =>
      loadConfig(schema, { env: { FRESHET_BATCH_SIZE: '1' }, removed: { batchSize: 'maxEvents' } }),
    )
    expect(problems).toEqual(['FRESHET_BATCH_SIZE (from the environment) was removed; use maxEvents'])
  })

  it('never shows a secret in a problem', () => {
    const problems = problemsOf(() => loadConfig(schema, { env: { FRESHET_PASSWORD: 'xy' } }))
    expect(problems.join()).not.toContain('xy')
  })

  it('reports that the file is missing or is not JSON', () => {
    expect(problemsOf(() => loadConfig(schema, { env: { FRESHET_CONFIG: '/nowhere.json' } })).join()).toContain(
      'ENOENT',
    )
    expect(problemsOf(() => loadConfig(schema, { env: { FRESHET_CONFIG: file('{') } })).join()).toContain('JSON')
  })

  it('ignores settings of other services in a shared environment, and reports them', () => {
    const foreign: string[] = []
    const env = { FRESHET_CANDIDATES_ADDRESS: 'candidates:7071', FRESHET_RANKER_ADDRESS: 'ranker:7072' }
    loadConfig(schema, { env, onForeign: (names) => foreign.push(...names) })
    expect(foreign).toEqual(['FRESHET_CANDIDATES_ADDRESS', 'FRESHET_RANKER_ADDRESS'])
  })

  describe('A20 · service links of Kubernetes', () => {
    const services = [
      'freshet',
      'freshet-blender',
      'freshet-grpc',
      'freshet-redis-url',
      'freshet-max-event',
      'freshet-log',
    ]
    const ports = [
      { name: 'http', port: 8080 },
      { name: 'grpc', port: 7070 },
      { port: 53, protocol: 'UDP' },
    ]
    const links = Object.assign(
      {},
      ...services.map((name) => serviceLinksOf({ name, clusterIp: '10.0.0.1', ports })),
    ) as Record<string, string>

    it('are not settings, whatever the name of the Service', () => {
      const foreign: string[] = []
      expect(links).toMatchObject({ FRESHET_GRPC_PORT: 'tcp://10.0.0.1:8080', FRESHET_LOG_SERVICE_PORT_GRPC: '7070' })
      const config = loadConfig(schema, { env: links, onForeign: (names) => foreign.push(...names) })
      expect(config).toEqual(loadConfig(schema, { env: {} }))
      expect(foreign).toEqual([])
    })

    it('do not hide a setting of the same name', () => {
      expect(loadConfig(schema, { env: { ...links, FRESHET_GRPC_PORT: '7171' } }).grpc.port).toBe(7171)
    })

    it('do not hide a misspelt setting', () => {
      const problems = problemsOf(() => loadConfig(schema, { env: { ...links, FRESHET_GRPC_PROT: '1' } }))
      expect(problems).toEqual([expect.stringContaining('did you mean FRESHET_GRPC_PORT')])
    })
  })
})

describe('describeConfig', () => {
  it('returns every setting with variable, default, bounds, unit and description', () => {
    const rows = describeConfig(schema)
    expect(rows.every((row) => row.description !== '')).toBe(true)
    expect(rows.find((row) => row.path === 'maxEvents')).toEqual({
      path: 'maxEvents',
      env: 'FRESHET_MAX_EVENTS',
      type: 'integer',
      unit: 'events',
      default: '1000',
      bounds: '1–5000',
      description: 'How many events',
      secret: false,
      schema: expect.objectContaining({ minimum: 1, maximum: 5000 }) as object,
    })
    expect(rows.find((row) => row.path === 'log.level')?.bounds).toContain('trace | debug')
  })

  it('names variables after the dotted path', () => {
    expect(envName('grpc.maxConnectionAgeMs')).toBe('FRESHET_GRPC_MAX_CONNECTION_AGE_MS')
  })
})

describe('redactConfig', () => {
  it('hides secrets and passwords in addresses', () => {
    const shown = redactConfig(schema, loadConfig(schema, { env: { FRESHET_REDIS_URL: 'redis://me:pw@host:1' } }))
    expect(shown).toMatchObject({ password: '(hidden)', redisUrl: 'redis://me:(hidden)@host:1', 'grpc.port': 7070 })
  })
})
