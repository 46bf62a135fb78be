import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const programs = [
  ['hostile', 'hostile/run.ts', ['--fuzz', 'many']],
  ['sdk:faults', 'sdk/run.ts', ['--outage', 'long']],
  ['bench', 'benchmarks/run.ts', ['--fast']],
  ['soak', 'benchmarks/soak.ts', ['--minutes', '-1']],
  ['chaos', 'chaos/run.ts', ['--rows', 'nothing']],
  ['feeds', 'feeds/run.ts', ['--bug', 'nothing']],
  ['simulate', 'simulation/run.ts', ['--seeds']],
  ['quality', 'quality/run.ts', ['all']],
  ['world', 'worlds/run.ts', ['--variant', 'nothing']],
  ['profile', 'benchmarks/profile.ts', ['--processes', 'six']],
  ['bench:compare', 'benchmarks/compare.ts', ['--runs', '0']],
  ['feeds:read-your-writes', 'feeds/read-your-writes.ts', ['--on', 'paper']],
  ['hostile:flood', 'hostile/flood.ts', ['--seconds', 'long']],
  ['sdk:cost', 'sdk/cost.ts', ['--fast']],
  ['console:figures', 'console/figures.ts', ['--fast']],
  ['results', 'results/run.ts', ['--only', 'nothing']],
] as const

it.each(programs)(
  '%s says how to use it, and does nothing and exits with 78 if it is used in another way',
  (name, file, wrong) => {
    const run = (args: readonly string[]) => {
      const given = [join(root, 'test', file), ...args]
      const { status, stdout, stderr } = spawnSync(process.execPath, given, { encoding: 'utf8', timeout: 60_000 })
      return { status, stdout, stderr }
    }
    expect(run(['--help'])).toEqual({
      status: 0,
      stdout: expect.stringContaining(`usage: npm run ${name} -- [--`) as string,
      stderr: '',
    })
    const refused = run(wrong)
    expect([refused.status, refused.stdout]).toEqual([78, ''])
    expect(refused.stderr).not.toMatch(/^ {4}at /m)
    expect(refused.stderr.trim()).not.toBe('')
  },
  120_000,
)
