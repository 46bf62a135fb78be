import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

/** A file that names the version, what it calls it, and the version that it names. */
interface Place {
  readonly file: string
  readonly what: string
  readonly version: string
}

const semver = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/

/** Every package of the repository has one version; @tensorflow/tfjs stands in for a package of others and keeps theirs. */
function packageFiles(root: string): readonly string[] {
  const workspaces = ['apps', 'libs'].flatMap((kind) =>
    readdirSync(join(root, kind)).map((name) => join(kind, name, 'package.json')),
  )
  return ['package.json', ...workspaces].filter((file) => /freshet/.test(manifestOf(root, file).name))
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

function manifestOf(root: string, file: string): Manifest {
  return JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest
}

function places(root: string): readonly Place[] {
  const packages = packageFiles(root).flatMap((file): readonly Place[] => {
    const { version, dependencies, devDependencies } = manifestOf(root, file)
    const own = Object.entries({ ...dependencies, ...devDependencies }).filter(([name]) => name.startsWith('@freshet/'))
    return [
      { file, what: 'version', version },
      ...own.map(([name, wanted]) => ({ file, what: `dependency ${name}`, version: wanted })),
    ]
  })
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    version: string
    packages: Record<string, { version?: string }>
  }
  const locked = packageFiles(root).map((file) => {
    const folder = file === 'package.json' ? '' : file.replace('/package.json', '')
    return {
      file: 'package-lock.json',
      what: folder || 'the root',
      version: lock.packages[folder]?.version ?? 'missing',
    }
  })
  const chart = parse(readFileSync(join(root, 'deploy/helm/freshet/Chart.yaml'), 'utf8')) as Record<string, string>
  return [
    ...packages,
    { file: 'package-lock.json', what: 'version', version: lock.version },
    ...locked,
    ...['version', 'appVersion'].map((what) => ({
      file: 'deploy/helm/freshet/Chart.yaml',
      what,
      version: String(chart[what]),
    })),
  ]
}

/** What of a release does not fit its tag, a sentence each; empty: it can be released. */
export function releaseProblems(root: string, tag: string): readonly string[] {
  const version = tag.replace(/^v/, '')
  if (!tag.startsWith('v') || !semver.test(version))
    return [`the tag is ${tag}; give v and a semantic version, such as v0.2.0`]
  const problems = places(root)
    .filter((place) => place.version !== version)
    .map(
      ({ file, what, version: found }) =>
        `${file}: ${what} is ${found}, and the tag says ${version}; run \`npx node deploy/release/run.ts set ${version}\``,
    )
  const sections = changelog(root)
  if ((sections.get(version) ?? '') === '')
    problems.push(`CHANGELOG.md: no entries below "## ${version}"; put there what this release changes`)
  if ((sections.get('Unreleased') ?? '') !== '')
    problems.push(
      `CHANGELOG.md: "Unreleased" has entries, which this release would contain; move them below "## ${version}"`,
    )
  const base = readFileSync(join(root, 'deploy/docker/base-image'), 'utf8').trim()
  const major = readFileSync(join(root, '.nvmrc'), 'utf8').trim()
  if (!new RegExp(`^node:${major}-bookworm-slim@sha256:[0-9a-f]{64}$`).test(base))
    problems.push(`deploy/docker/base-image is ${base}; give node:${major}-bookworm-slim with its digest`)
  return problems
}

/** The entries of each section of CHANGELOG.md, by the first word of its heading: `Unreleased`, `0.2.0`. */
export function changelog(root: string): ReadonlyMap<string, string> {
  const [, ...sections] = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split(/^## /m)
  return new Map(
    sections.map((section) => {
      const [heading = '', ...lines] = section.split('\n')
      return [heading.split(' ')[0] ?? '', lines.join('\n').trim()]
    }),
  )
}

/** Writes a version wherever it stands, and turns "Unreleased" of CHANGELOG.md into its section. Throws if it is not a version. */
export function setVersion(root: string, version: string, date: string): void {
  if (!semver.test(version)) throw new Error(`the version is ${version}; give a semantic version, such as 0.2.0`)
  const change = (file: string, edit: (text: string) => string): void => {
    const path = join(root, file)
    writeFileSync(path, edit(readFileSync(path, 'utf8')))
  }
  const old = manifestOf(root, 'package.json').version.replaceAll('.', '\\.')
  for (const file of [...packageFiles(root)])
    change(file, (text) =>
      text
        .replace(/^( {2}"version": )".*"/m, `$1"${version}"`)
        .replaceAll(new RegExp(`("@freshet/[^"]+": )"${old}"`, 'g'), `$1"${version}"`),
    )
  change('package-lock.json', (text) => {
    const lock = JSON.parse(text) as { version: string; packages: Record<string, { version?: string }> }
    lock.version = version
    for (const file of packageFiles(root))
      lock.packages[file === 'package.json' ? '' : file.replace('/package.json', '')]!.version = version
    return `${JSON.stringify(lock, null, 2)}\n`.replaceAll(
      new RegExp(`("@freshet/[^"]+": )"${old}"`, 'g'),
      `$1"${version}"`,
    )
  })
  change('deploy/helm/freshet/Chart.yaml', (text) => text.replaceAll(/^(version|appVersion): .*$/gm, `$1: ${version}`))
  change('CHANGELOG.md', (text) => text.replace('## Unreleased\n', `## Unreleased\n\n## ${version} (${date})\n`))
}
