/**
 * Runs `buf breaking`, so that old messages stay readable. It compares with the newest release tag before this commit (a tag of
 * this very commit would compare it with itself), without a tag with the main branch, and on the main branch with the previous
 * commit.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

const tagsHere = (tryGit('tag', '--points-at', 'HEAD') ?? '').split('\n').filter((tag) => tag !== '')
const earlier = tagsHere.flatMap((tag) => ['--exclude', tag])
const against = tryGit('describe', '--tags', '--abbrev=0', '--match', 'v*', ...earlier) ?? mainBranch()
if (against === null) {
  console.log('no release tag and no main branch: there is nothing to compare with')
} else {
  const scratch = mkdtempSync(join(tmpdir(), 'freshet-breaking-'))
  try {
    execFileSync('sh', ['-c', `git archive ${against} proto | tar -x -C "${scratch}"`], { cwd: root })
    const result = spawnSync(
      join(root, 'node_modules/.bin/buf'),
      ['breaking', 'proto', '--against', join(scratch, 'proto')],
      { cwd: root, encoding: 'utf8' },
    )
    process.stdout.write(result.stdout + result.stderr)
    process.exitCode = result.status ?? 1
    console.log(`compared with ${against}`)
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

function mainBranch(): string | null {
  const head = tryGit('rev-parse', 'HEAD')
  for (const name of ['origin/main', 'main', 'HEAD~1']) {
    const hasProtos = tryGit('rev-parse', '--verify', '--quiet', `${name}:proto`) !== null
    if (hasProtos && tryGit('rev-parse', name) !== head) return name
  }
  return null
}

function tryGit(...args: string[]): string | null {
  const result = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  return result.status === 0 ? result.stdout.trim() : null
}
