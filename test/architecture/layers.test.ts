import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { describe, expect, it } from 'vitest'
import { importsOf, sourcesOf } from './import-graph.ts'

const root = join(import.meta.dirname, '../..')

/** What each layer may import of ours. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  settings: [],
  access: ['domain', 'settings'],
  tfjs: [],
  columns: ['domain'],
  pipeline: [],
  client: [],
  contracts: ['domain'],
  vectors: ['domain', 'columns'],
  embeddings: ['domain', 'columns'],
  ordering: ['domain'],
  retrieval: ['domain', 'settings', 'columns', 'vectors', 'embeddings'],
  ranking: ['domain', 'columns'],
  experiments: ['domain'],
  pictures: ['domain'],
  service: ['domain', 'settings', 'access'],
  adapters: ['contracts', 'domain', 'settings', 'access'],
  // The page is a client like any other.
  console: ['client'],
  app: [
    'service',
    'access',
    'settings',
    'adapters',
    'ranking',
    'retrieval',
    'embeddings',
    'ordering',
    'vectors',
    'columns',
    'experiments',
    'pipeline',
    'contracts',
    'domain',
  ],
}

const libs = readdirSync(join(root, 'libs'))
const apps = readdirSync(join(root, 'apps'))

/** Breaches of the layer rules in one file, as sentences. */
function breaches(file: string, text: string): string[] {
  const [kind, project] = file.split(sep) as [string, string]
  const rule = allowed[project] ?? (kind === 'apps' ? allowed['app']! : [])
  const own = `@freshet/${project}`
  const problems: string[] = []
  for (const specifier of importsOf(text)) {
    if (specifier.startsWith('@freshet/')) {
      const target = specifier.split('/')[1]!
      if (`@freshet/${target}` === own) continue
      if (kind === 'apps' && project === 'freshet') continue
      if (apps.includes(target)) problems.push(`${file} imports the app ${specifier}`)
      else if (!rule.includes(target)) problems.push(`${file} imports ${specifier}, which ${project} may not`)
    } else if (specifier.startsWith('.')) {
      const target = relative(root, join(root, dirname(file), specifier))
      if (!target.startsWith(join(kind, project) + sep))
        problems.push(`${file} reaches into ${target} by a relative path`)
    }
  }
  return problems
}

describe('layers', () => {
  it('names a rule for every library', () => {
    expect(libs.filter((lib) => !(lib in allowed))).toEqual([])
  })

  it('reads a tree that is not empty', () => {
    expect(libs.flatMap((lib) => sourcesOf(`libs/${lib}/src`)).length).toBeGreaterThan(50)
  })

  it('are kept by every file of libs and apps', () => {
    const files = [...libs.map((lib) => `libs/${lib}/src`), ...apps.map((app) => `apps/${app}/src`)].flatMap(sourcesOf)
    expect(files.flatMap((file) => breaches(file, readFileSync(join(root, file), 'utf8')))).toEqual([])
  })

  it.each([
    ['libs/domain/src/a.ts', `import { x } from '@freshet/contracts/y'`],
    ['libs/columns/src/a.ts', `import { x } from '@freshet/contracts/y'`],
    ['libs/settings/src/a.ts', `import { x } from '@freshet/domain/hash'`],
    ['libs/vectors/src/a.ts', `import { x } from '@freshet/retrieval/retrieval'`],
    ['libs/retrieval/src/a.ts', `export type { X } from '@freshet/adapters/memory/event-log'`],
    ['apps/console/src/a.tsx', `import { x } from '@freshet/domain/hash'`],
    ['apps/ranker/src/a.ts', `import { x } from '@freshet/pictures/catalogue'`],
    ['apps/ranker/src/a.ts', `const x = await import('@freshet/blender/get-feed')`],
    ['apps/ranker/src/a.ts', `import '../../blender/src/get-feed.ts'`],
  ])('finds a breach planted in %s', (file, text) => {
    expect(breaches(file, text)).toHaveLength(1)
  })
})
