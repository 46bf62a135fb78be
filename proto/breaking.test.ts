import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const clone = mkdtempSync(join(tmpdir(), 'freshet-breaking-test-'))
const proto = join(clone, 'proto/freshet/blending/v1/blending.proto')

function git(...given: readonly string[]): void {
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.org', '-c', 'commit.gpgsign=false']
  execFileSync('git', [...who, ...given], { cwd: clone, stdio: 'ignore' })
}

function commit(what: string, ...tags: readonly string[]): void {
  git('add', '--all')
  git('commit', '--allow-empty', '--message', what)
  for (const tag of tags) git('tag', tag)
}

function breaking(): { readonly status: number | null; readonly stdout: string } {
  return spawnSync(process.execPath, ['proto/breaking.ts'], { cwd: clone, encoding: 'utf8' })
}

describe('buf breaking', () => {
  beforeAll(() => {
    cpSync(join(root, 'proto'), join(clone, 'proto'), { recursive: true })
    writeFileSync(join(clone, 'package.json'), '{ "type": "module" }\n')
    writeFileSync(join(clone, '.gitignore'), 'node_modules\n')
    symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
    git('init', '--initial-branch', 'main')
    commit('the first release', 'v1.0.0')
  })
  afterAll(() => rmSync(clone, { recursive: true }))

  it('compares with the release before this commit, also on the commit of a new release', { timeout: 60_000 }, () => {
    writeFileSync(proto, `${readFileSync(proto, 'utf8')}\n// A comment breaks nothing.\n`)
    commit('a comment', 'unrelated')
    expect(breaking()).toMatchObject({ status: 0, stdout: 'compared with v1.0.0\n' })

    const text = readFileSync(proto, 'utf8')
    const field = /^ {2}string user_id = \d+;.*$/m
    expect(text).toMatch(field)
    writeFileSync(proto, text.replace(field, ''))
    commit('a lost field')
    const lost = breaking()
    expect(lost.status).not.toBe(0)
    expect(lost.stdout).toMatch(/user_id[\s\S]*compared with v1\.0\.0/)

    git('tag', 'v2.0.0')
    const released = breaking()
    expect(released.status).not.toBe(0)
    expect(released.stdout).toContain('compared with v1.0.0')
  })
})
