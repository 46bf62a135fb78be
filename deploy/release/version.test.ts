import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { imageNames } from '../../test/harness/images.ts'
import { changelog, releaseProblems, setVersion } from './version.ts'

const root = join(import.meta.dirname, '../..')

describe('a release', () => {
  let copy = ''
  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'freshet-release-'))
    const files = [
      'package.json',
      'package-lock.json',
      '.nvmrc',
      'CHANGELOG.md',
      'deploy/helm/freshet/Chart.yaml',
      'deploy/docker/base-image',
    ]
    const packages = ['apps', 'libs'].flatMap((kind) =>
      readdirSync(join(root, kind)).map((name) => `${kind}/${name}/package.json`),
    )
    for (const file of [...files, ...packages]) {
      mkdirSync(dirname(join(copy, file)), { recursive: true })
      cpSync(join(root, file), join(copy, file))
    }
    writeFileSync(
      join(copy, 'CHANGELOG.md'),
      '# Changelog\n\n## Unreleased\n\n- A new thing.\n\n## 0.0.9 (2026-01-01)\n\n- An old thing.\n',
    )
  })
  afterEach(() => rmSync(copy, { recursive: true }))

  const change = (file: string, from: string | RegExp, to: string): void => {
    const text = readFileSync(join(copy, file), 'utf8')
    expect(text).toMatch(from)
    writeFileSync(join(copy, file), text.replace(from, to))
  }

  it('fits its tag once the version is set, and changes nothing else', () => {
    expect(releaseProblems(copy, 'v7.8.9')).not.toEqual([])
    setVersion(copy, '7.8.9', '2026-12-01')
    expect(releaseProblems(copy, 'v7.8.9')).toEqual([])
    expect([...changelog(copy)]).toEqual([
      ['Unreleased', ''],
      ['7.8.9', '- A new thing.'],
      ['0.0.9', '- An old thing.'],
    ])
    const { version } = JSON.parse(readFileSync(join(copy, 'libs/tfjs/package.json'), 'utf8')) as { version: string }
    expect(version).toBe('4.22.0')
    setVersion(copy, '0.1.0', '2026-12-02')
    for (const file of [
      'package.json',
      'package-lock.json',
      'apps/blender/package.json',
      'deploy/helm/freshet/Chart.yaml',
    ])
      expect(readFileSync(join(copy, file), 'utf8')).toBe(readFileSync(join(root, file), 'utf8'))
  })

  it.each([
    [
      'a package',
      'libs/domain/package.json',
      '"version": "7.8.9"',
      '"version": "7.8.8"',
      'libs/domain/package.json: version is 7.8.8',
    ],
    [
      'a dependency',
      'apps/blender/package.json',
      /"@freshet\/domain": "7.8.9"/,
      '"@freshet/domain": "7.8.8"',
      'dependency @freshet/domain is 7.8.8',
    ],
    [
      'the chart',
      'deploy/helm/freshet/Chart.yaml',
      /^version: 7.8.9/m,
      'version: 7.8.8',
      'Chart.yaml: version is 7.8.8',
    ],
    [
      'the images of the chart',
      'deploy/helm/freshet/Chart.yaml',
      /^appVersion: 7.8.9/m,
      'appVersion: 7.8.8',
      'Chart.yaml: appVersion is 7.8.8',
    ],
    [
      'the lock file',
      'package-lock.json',
      '"version": "7.8.9"',
      '"version": "7.8.8"',
      'package-lock.json: version is 7.8.8',
    ],
    ['the changelog', 'CHANGELOG.md', '## 7.8.9', '## 7.8.8', 'CHANGELOG.md: no entries below "## 7.8.9"'],
    [
      'an entry that no release has',
      'CHANGELOG.md',
      '## Unreleased\n',
      '## Unreleased\n\n- Late.\n',
      '"Unreleased" has entries',
    ],
    [
      'a base image that may change',
      'deploy/docker/base-image',
      /@sha256:.*/,
      '',
      'deploy/docker/base-image is node:24-bookworm-slim; give',
    ],
  ])('does not fit its tag because of %s', (_, file, from, to, problem) => {
    setVersion(copy, '7.8.9', '2026-12-01')
    change(file, from, to)
    expect(releaseProblems(copy, 'v7.8.9').filter((each) => each.includes(problem))).toHaveLength(1)
    expect(releaseProblems(copy, 'v7.8.9')).toHaveLength(1)
  })

  it.each(['7.8.9', 'v7.8', 'v7.8.9.1', 'version', 'v07x'])('has no tag %s', (tag) => {
    expect(releaseProblems(copy, tag)).toEqual([`the tag is ${tag}; give v and a semantic version, such as v0.2.0`])
  })

  it('is checked by a command that fails', () => {
    const run = (...given: string[]) =>
      spawnSync(process.execPath, ['deploy/release/run.ts', ...given], { cwd: root, encoding: 'utf8' })
    expect(run('check', 'v99.0.0')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('package.json: version is') as string,
    })
    expect(run('notes', 'v99.0.0').status).toBe(1)
    expect(run().status).toBe(78)
  })
})

describe('the release workflow', () => {
  const text = readFileSync(join(root, '.github/workflows/release.yaml'), 'utf8')
  const { on, jobs } = parse(text) as {
    on: unknown
    jobs: Record<
      string,
      {
        needs?: string
        strategy?: { matrix: { app: string[] } }
        steps: { run?: string; uses?: string; with?: Record<string, string> }[]
      }
    >
  }

  it('starts from tags, and publishes only what passed the checks', () => {
    expect(on).toEqual({ push: { tags: ['v*'] } })
    expect(Object.entries(jobs).map(([name, { needs }]) => [name, needs])).toEqual([
      ['check', undefined],
      ['images', 'check'],
      ['release', 'images'],
    ])
    const commands = jobs['check']!.steps.map(({ run }) => run)
    expect(commands).toContain('bash .ci/run')
    expect(commands).toContain('node deploy/release/run.ts check "$GITHUB_REF_NAME"')
  })

  it('builds every image, with arguments that the Dockerfile has', () => {
    const { strategy, steps } = jobs['images']!
    expect([...strategy!.matrix.app].sort()).toEqual([...imageNames].sort())
    const given = steps.find((step) => step.with?.['build-args'] !== undefined)!.with!
    const known = readFileSync(join(root, given['file']!), 'utf8')
    const names = [...given['build-args']!.matchAll(/^(\w+)=/gm)].map(([, name]) => name!)
    expect(names).toContain('NODE_IMAGE')
    for (const name of names) expect(known).toMatch(new RegExp(`^ARG ${name}(=|$)`, 'm'))
  })

  it('keeps its token from the scripts of packages, and text of a tag out of its scripts', () => {
    const steps = Object.values(jobs).flatMap((job) => job.steps)
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))
    expect(checkouts).toHaveLength(3)
    for (const step of checkouts) expect(step).toMatchObject({ with: { 'persist-credentials': false } })
    for (const { run = '' } of steps) expect(run).not.toMatch(/\$\{\{\s*(github|steps|env)\./)
  })

  it('names scripts and files that exist', () => {
    const files = [...text.matchAll(/(?:node |bash |cat |file: )((?:deploy|\.ci)\/[\w./-]+)/g)].map(([, file]) => file!)
    expect(files.length).toBeGreaterThan(3)
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([])
  })
})
