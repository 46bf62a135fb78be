/**
 * `npm test`: every check of the repository, one after another, with a line each; then the counts.
 *
 *   node test/run.ts [--only format,proto,types,lint,tests] [-- vitest arguments]
 *
 * Exit code 1 when anything failed, or when FRESHET_EXPECT_CONTAINERS=1 or FRESHET_EXPECT_CHROMIUM=1 and a test was skipped.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const cache = join(root, 'node_modules/.cache/freshet')
const report = join(cache, 'vitest.json')
const summaryFile = join(cache, 'test-summary.json')

interface Counts {
  passed: number
  failed: number
  skipped: number
}

interface Check {
  readonly group: string
  readonly name: string
  readonly command: readonly string[]
}

const checks: readonly Check[] = [
  { group: 'format', name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { group: 'proto', name: 'buf lint', command: ['buf', 'lint', 'proto'] },
  { group: 'proto', name: 'buf breaking', command: ['node', 'proto/breaking.ts'] },
  { group: 'proto', name: 'generated code is current', command: ['node', 'proto/generate.ts', '--check'] },
  { group: 'types', name: 'types', command: ['tsc', '--noEmit'] },
  { group: 'types', name: 'types of the page', command: ['tsc', '--noEmit', '-p', 'apps/console'] },
  {
    group: 'lint',
    name: 'no dead exports, files or dependencies',
    command: ['knip', '--config', 'test/architecture/knip.jsonc', '--no-progress', '--no-config-hints'],
  },
  { group: 'lint', name: 'lint of tests and scripts', command: ['eslint', 'test', 'proto', 'deploy'] },
  { group: 'lint', name: 'lint and layer rules', command: ['nx', 'run-many', '-t', 'lint', '--output-style=static'] },
]

const { values, positionals } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: true })
const only = values.only?.split(',')
const wanted = (group: string): boolean => only === undefined || only.includes(group)

const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
const problems: string[] = []
mkdirSync(cache, { recursive: true })

for (const check of checks.filter(({ group }) => wanted(group))) {
  const startedAt = Date.now()
  const { code, output } = await run(check.command, true)
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
  console.log(`${code === 0 ? '✓' : '✗'} ${check.name} (${seconds} s)`)
  if (code === 0) counts.passed++
  else {
    counts.failed++
    problems.push(check.name)
    console.log(output)
  }
}

if (wanted('tests')) {
  rmSync(report, { force: true })
  const { code } = await run(
    ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...positionals],
    false,
  )
  readReport(code)
}

writeFileSync(summaryFile, JSON.stringify(counts))
if (problems.length > 0) console.log(`\nFailed:\n${problems.map((name) => `  ${name}`).join('\n')}`)
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
const expecting = ['FRESHET_EXPECT_CONTAINERS', 'FRESHET_EXPECT_CHROMIUM'].filter((name) => process.env[name] === '1')
const skippedInCi = expecting.length > 0 && counts.skipped > 0
if (skippedInCi) console.log(`${expecting.join(', ')} = 1: a skipped test is a failure here.`)
process.exitCode = counts.failed > 0 || skippedInCi ? 1 : 0

interface VitestReport {
  readonly numTotalTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

function readReport(exitCode: number): void {
  let parsed: VitestReport
  try {
    parsed = JSON.parse(readFileSync(report, 'utf8')) as VitestReport
  } catch {
    counts.failed++
    problems.push(`vitest ended with code ${exitCode} and without a report`)
    return
  }
  const before = counts.failed
  const skipped: string[] = []
  for (const file of parsed.testResults) {
    for (const { status, fullName } of file.assertionResults) {
      if (status === 'passed') counts.passed++
      else if (status === 'failed') {
        counts.failed++
        problems.push(fullName)
      } else {
        counts.skipped++
        skipped.push(fullName)
      }
    }
    if (file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed')) {
      counts.failed++
      problems.push(`${file.name}: ${file.message ?? 'failed to load'}`)
    }
  }
  if (exitCode !== 0 && counts.failed === before) {
    counts.failed++
    problems.push(`vitest ended with code ${exitCode} outside of any test`)
  }
  if (skipped.length > 0) console.log(`\nSKIPPED:\n${skipped.map((name) => `  ${name}`).join('\n')}`)
}

function run(command: readonly string[], quiet: boolean): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const path = `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`
    const child = spawn(command[0]!, command.slice(1), {
      cwd: root,
      env: { ...process.env, PATH: path, NX_DAEMON: 'false', NX_TUI: 'false' },
      stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    })
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
