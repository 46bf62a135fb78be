import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { joinerBugs } from './planted-bugs.ts'
import { simulateJoiner } from './simulate.ts'

const runner = fileURLToPath(new URL('run.ts', import.meta.url))

function run(...options: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [runner, ...options], (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, output: `${out}${err}` }),
    )
  })
}

describe('seeded simulation of the joiner', () => {
  it('keeps the laws on 2,000 seeds', async () => {
    const { code, output } = await run('--seeds', '2000')
    expect(output).toContain('the laws hold')
    expect(code).toBe(0)
  })

  it('replays a seed step by step', async () => {
    const [first, second] = [await simulateJoiner(7), await simulateJoiner(7)]
    expect(second.trace).toEqual(first.trace)
    expect(first.trace.length).toBeGreaterThan(20)
  })

  it('has crashes, refused calls and records in files in its first hundred seeds', async () => {
    const results = []
    for (let seed = 1; seed <= 100; seed++) results.push(await simulateJoiner(seed))
    const lines = results.flatMap(({ trace }) => trace)
    for (const what of ['crash at a call', 'crash between two batches', 'checkpoint', 'advance was refused'])
      expect(lines).toContain(what)
    expect(results.filter(({ spilled }) => spilled > 0).length).toBeGreaterThan(10)
  })

  it.each(joinerBugs.map(({ name, means }) => [name, means]))('finds within 500 seeds: %s (%s)', async (name) => {
    const { code, output } = await run('--seeds', '500', '--bug', name)
    expect(output).toMatch(/^seed \d+ breaks the laws:/)
    expect(code).toBe(1)
  })
})
