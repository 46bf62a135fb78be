import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { plantedBugs } from './planted-bugs.ts'
import { simulate } from './simulate.ts'

const runner = fileURLToPath(new URL('run.ts', import.meta.url))

interface Ended {
  readonly code: number
  readonly output: string
}

function run(...options: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [runner, ...options], { maxBuffer: 64 << 20 }, (_error, out, err) => {
      resolve({ code: child.exitCode ?? -1, output: `${out}${err}` })
    })
  })
}

describe('seeded simulation of the feature updater', () => {
  it('keeps the law on 10,000 seeds', { timeout: 900_000 }, async () => {
    const { code, output } = await run('--seeds', '10000')
    expect(output).toContain('10000 seeds')
    expect(output).toContain('the law holds')
    expect(code).toBe(0)
  })

  it('replays a seed step by step', async () => {
    const [first, second] = [await simulate(42), await simulate(42)]
    expect(second.trace).toEqual(first.trace)
    expect(second.violations).toEqual([])
    expect(first.trace.length).toBeGreaterThan(20)
  })

  it('has crashes, moved positions and every kind of fault in its first hundred seeds', async () => {
    const results = []
    for (let seed = 1; seed <= 100; seed++) results.push(await simulate(seed))
    const lines = results.flatMap(({ trace }) => trace)
    for (const fate of ['refused', 'done-but-refused', 'crash-before', 'crash-after']) {
      expect(lines.some((line) => line.endsWith(`[${fate}]`))).toBe(true)
    }
    expect(results.reduce((sum, { moves }) => sum + moves, 0)).toBeGreaterThan(100)
  })

  it('knows at least eight planted bugs', () => {
    expect(plantedBugs.length).toBeGreaterThanOrEqual(8)
  })

  it.each(plantedBugs.map(({ name, means }) => [name, means]))('finds within 1,000 seeds: %s (%s)', async (name) => {
    const { code, output } = await run('--seeds', '1000', '--bug', name)
    expect(output).toMatch(/^seed \d+ breaks the law:/)
    expect(output).toContain(`replay: node test/simulation/run.ts --seed`)
    expect(code).toBe(1)
  })
})
