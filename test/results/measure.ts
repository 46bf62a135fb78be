import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import type { FigureTable } from '../harness/figures.ts'
import type { FailedRun, Form, Machine, MeasuredRun } from './record.ts'
import { commandOf, type Section } from './sections.ts'

const root = join(import.meta.dirname, '../..')
const loadEveryMs = 5_000
const keptLines = 12
/** Versions that figures depend on. */
const packages = ['kafkajs', 'ioredis', 'lmdb', '@grpc/grpc-js', '@tensorflow/tfjs-core'] as const

/** Runs the command of a section and reads the figures that it wrote. What it prints passes on to standard error. */
export async function measureSection(
  section: Section,
  form: Form,
  say: (text: string) => void,
): Promise<MeasuredRun | FailedRun> {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-results-'))
  const file = join(folder, 'figures.json')
  const command = commandOf(section, form)
  const words = (form === 'full' ? section.full : section.small) ?? []
  const before = loadavg()[0]!
  let most = before
  const date = new Date().toISOString()
  const startedAtMs = performance.now()
  const watch = setInterval(() => {
    most = Math.max(most, loadavg()[0]!)
    say(`${section.name}: ${((performance.now() - startedAtMs) / 1000).toFixed(0)} s, load ${loadavg()[0]!.toFixed(1)}`)
  }, loadEveryMs)
  try {
    const { code, lines } = await runCommand([
      'run',
      '-s',
      section.script,
      '--',
      ...words,
      section.figuresOption ?? '--json',
      file,
    ])
    const load = { before, most }
    const commit = commitOf()
    const figures = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as FigureTable) : null
    const problems = [
      ...(figures?.problems ?? ['the command wrote no figures']),
      ...(figures?.rows.length === 0 ? ['the command measured nothing'] : []),
      ...(code === 0 ? [] : [`exit code ${code}; the last lines:\n${lines.join('\n')}`]),
    ]
    if (figures === null || problems.length > 0)
      return { date, commit, command, form, load, problems: problems.map(withoutPaths) }
    const seconds = Math.round((performance.now() - startedAtMs) / 100) / 10
    return { origin: 'run', date, commit, command, seconds, load, machine: machineOf(section), ...figures }
  } finally {
    clearInterval(watch)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Texts of errors name folders of this machine: nobody else's. */
function withoutPaths(text: string): string {
  return text.replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, '').replaceAll(root, '.')
}

function runCommand(words: readonly string[]): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', [...words], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let tail = ''
    const pass = (text: string): void => {
      tail = (tail + text).slice(-8_000)
      process.stderr.write(text)
    }
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', pass)
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, lines: tail.trimEnd().split('\n').slice(-keptLines) }))
  })
}

/** The commit that is checked out; `+` where files differ from it. */
function commitOf(): string {
  const git = (...words: string[]): string => execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim()
  const changed = git('status', '--porcelain', '--', '.', ':!test/RESULTS.md', ':!test/results/records', ':!README.md')
  return `${git('rev-parse', '--short=8', 'HEAD')}${changed === '' ? '' : '+'}`
}

function machineOf(section: Section): Machine {
  const versionOf = (name: string): string =>
    (JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version
  const servers = section.needs.includes('containers')
    ? {
        Kafka: process.env['FRESHET_TEST_KAFKA'] ?? process.env['KAFKA_IMAGE'] ?? 'of the tests',
        Redis: process.env['FRESHET_TEST_REDIS'] ?? process.env['REDIS_IMAGE'] ?? 'of the tests',
      }
    : {}
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    versions: {
      Node: process.version.slice(1),
      ...Object.fromEntries(packages.map((name) => [name, versionOf(name)])),
      ...servers,
    },
  }
}
