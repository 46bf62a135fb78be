import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { blocksOf } from '../harness/readme-commands.ts'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'README.md'), 'utf8')

/** The PATH without the folders that npm put before it: what a user's shell has. */
const shellPath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter)

/** Every Node there is to try: the one of the shell, and the one that npm scripts use. */
const paths = [
  ['the Node of the shell', shellPath],
  ['the Node of the npm scripts', [join(root, 'node_modules/.bin'), shellPath].join(delimiter)],
] as const

interface Ended {
  readonly code: number | null
  readonly output: string
}

interface Ports {
  readonly ingest: number
  readonly feeds: number
  readonly grpc: number
  readonly operations: number
}

/** Ratings of 20 users for 20 of 40 films each, ordered by user, of years ago. */
function ratings(): string {
  const rows = Array.from({ length: 400 }, (_, row) => {
    const user = Math.floor(row / 20)
    return `${user + 1},${((row * 7) % 40) + 1},${(row % 5) + 1},${1_400_000_000 + row * 86_400 - user * 1_000_000}`
  })
  return ['userId,movieId,rating,timestamp', ...rows, ''].join('\n')
}

function movies(): string {
  const rows = Array.from({ length: 40 }, (_, film) => `${film + 1},"Film, the ${film + 1} (1950)",Drama|Comedy`)
  return ['movieId,title,genres', ...rows, ''].join('\n')
}

describe.each(paths)('A27 · the first page of the README, with %s', (_name, path) => {
  let folder = ''
  let started: { said(): string; stop(): Promise<void> } | null = null
  let replacements: readonly (readonly [string, string])[] = []

  function shell(script: string): Promise<Ended> {
    const child = spawn('bash', ['-e', '-o', 'pipefail', '-c', script], {
      cwd: folder,
      env: { ...process.env, PATH: path },
    })
    let output = ''
    child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
    child.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()))
    return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })))
  }

  /** The one shell block that has `text`, with the ports of this test. */
  function block(text: string): string {
    const found = blocksOf(page, 'sh').filter((script) => script.includes(text))
    expect(found, `blocks with ${text}`).toHaveLength(1)
    return replacements.reduce((script, [from, to]) => script.replaceAll(from, to), found[0]!)
  }

  /** A command that goes on, once it is ready. Its process group ends with `stop`. */
  async function serve(command: string, ports: Ports): Promise<{ said(): string; stop(): Promise<void> }> {
    let said = ''
    const child = spawn('bash', ['-c', command], {
      cwd: folder,
      detached: true,
      env: {
        ...process.env,
        PATH: path,
        FRESHET_INGEST_HTTP_PORT: String(ports.ingest),
        FRESHET_CONSOLE_ENABLED: 'false',
        FRESHET_FEED_HTTP_PORT: String(ports.feeds),
        FRESHET_GRPC_PORT: String(ports.grpc),
        FRESHET_OPERATIONS_PORT: String(ports.operations),
      },
    })
    const ended = new Promise((resolve) => child.on('close', resolve))
    child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()))
    const isReady = async () => {
      if (child.exitCode !== null) throw new Error(`${command} ended:\n${said}`)
      const answer = await fetch(`http://localhost:${ports.operations}/readyz`).catch(() => null)
      return answer?.status === 200 ? true : null
    }
    await eventually(`${command} is ready`, isReady, 120_000, 100)
    return {
      said: () => said,
      async stop() {
        if (child.exitCode === null) process.kill(-child.pid!, 'SIGTERM')
        await ended
      },
    }
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'freshet-readme-'))
    for (const name of ['package.json', 'apps', 'libs', 'node_modules'])
      symlinkSync(join(root, name), join(folder, name))
    writeFileSync(join(folder, 'my.jsonl'), blocksOf(page, 'json').join(''))
    const [ingest = 0, feeds = 0, grpc = 0, operations = 0] = await freePorts(4)
    replacements = [
      ['localhost:8080', `localhost:${ingest}`],
      ['localhost:8070', `localhost:${feeds}`],
      ['localhost:7070', `localhost:${grpc}`],
      ['localhost:9464', `localhost:${operations}`],
    ]
    started = await serve('npm start', { ingest, feeds, grpc, operations })
  })

  afterAll(async () => {
    await started?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('npm start says where it listens and what to try', () => {
    for (const [, address] of replacements.slice(0, 2)) expect(started?.said()).toContain(address)
  })

  it('gives a feed', async () => {
    const { code, output } = await shell(block('{"userId":"you","pageSize":8}\''))
    expect(code, output).toBe(0)
    expect((JSON.parse(output) as { items: unknown[] }).items).toHaveLength(8)
  })

  it('gives a feed that reflects the save', async () => {
    const { code, output } = await shell(block('"action":"save"'))
    expect(code, output).toBe(0)
    const [token, feed] = output.split('\n')
    expect(token).toMatch(/^e\d+-\d+/)
    expect(JSON.parse(feed!)).toMatchObject({ freshness: 'FRESHNESS_CURRENT', degradation: 'DEGRADATION_NONE' })
  })

  it('answers the question of the recording', async () => {
    const { code, output } = await shell(block('evaluate my.jsonl --ask candidates'))
    expect(code, output).toBe(0)
    expect(output).toMatch(/hr@20/i)
  })

  it('imports own data and serves feeds from it', async () => {
    writeFileSync(join(folder, 'ratings.csv'), ratings())
    writeFileSync(join(folder, 'movies.csv'), movies())
    const script = block('import ratings.csv')
    const dev = script.split('\n').find((line) => line.startsWith('npx freshet dev'))!
    const { code, output } = await shell(script.replace(dev, ''))
    expect(code, output).toBe(0)
    expect(output).toMatch(/accepted +440\b/)
    expect(output).toMatch(/applied +400\b/)
    const [ingest = 0, feeds = 0, grpc = 0, operations = 0] = await freePorts(4)
    const served = await serve(dev, { ingest, feeds, grpc, operations })
    try {
      const body = JSON.stringify({ userId: '7', pageSize: 8 })
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`http://localhost:${feeds}/v1/feed`, { method: 'POST', headers, body })
      const { items } = (await answer.json()) as { items: { pinId: string }[] }
      expect(items).toHaveLength(8)
      expect(items.every(({ pinId }) => /^\d+$/.test(pinId) || /^p[12]$/.test(pinId))).toBe(true)
    } finally {
      await served.stop()
    }
  })

  it('names only files that a clone has', () => {
    expect(existsSync(join(root, 'deploy/local/compose.yaml'))).toBe(true)
    for (const [, path] of page.matchAll(/-f (deploy\/\S+)/g)) expect(existsSync(join(root, path!)), path).toBe(true)
  })

  it('has no shell block that this test leaves out', () => {
    const tried = [
      'npm cit',
      '{"userId":"you","pageSize":8}\'',
      '"action":"save"',
      'evaluate my.jsonl --ask candidates',
      'import ratings.csv',
    ]
    expect(blocksOf(page, 'sh').filter((script) => !tried.some((text) => script.includes(text)))).toEqual([])
  })
})
