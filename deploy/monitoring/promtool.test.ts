import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const rules = join(import.meta.dirname, '../helm/freshet/files/rules.yaml')
const tests = join(import.meta.dirname, 'promtool')
const isThere = spawnSync('promtool', ['--version']).error === undefined

/** Longer than promtool takes on a busy machine. */
const timeoutMs = 900_000

describe('promtool', () => {
  it.runIf(process.env['FRESHET_EXPECT_PROMTOOL'] === '1')('is installed where it is expected', () => {
    expect(isThere, "no promtool: install Debian's prometheus").toBe(true)
  })

  it.skipIf(!isThere)('accepts the rules (skipped without promtool)', { timeout: timeoutMs }, () => {
    expect(execFileSync('promtool', ['check', 'rules', rules], { encoding: 'utf8' })).toContain('SUCCESS')
  })

  it.skipIf(!isThere).each(readdirSync(tests))(
    'finds that alerts fire when they should, and only then: %s (skipped without promtool)',
    { timeout: timeoutMs },
    (file) => {
      const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', join(tests, file)], {
        encoding: 'utf8',
      })
      expect(status, `${stdout}${stderr}`).toBe(0)
    },
  )
})
