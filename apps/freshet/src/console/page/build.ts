import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { glob, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { readPage } from './files.ts'
import type { Page } from './routes.ts'

/** Where the sources of the page are, and what it becomes. */
export interface PagePlace {
  /** The folder of the app, with `index.html`, `src` and `dist`. */
  readonly app: string
  /** Further folders that the page is built from. */
  readonly uses: readonly string[]
}

const root = join(import.meta.dirname, '../../../../..')

/** The page of this repository. */
export const ownPage: PagePlace = { app: join(root, 'apps/console'), uses: [join(root, 'libs/client/src')] }

/** The hash of the sources that `dist` was built from. */
const stampFile = '.sources'
const buildTimeoutMs = 120_000

/** What happens while a page is opened. */
export interface OpeningPage {
  /** The page is being built, which takes seconds. */
  readonly onBuild: () => void
  /** The page cannot be built. An older one is used if there is one. */
  readonly onProblem: (error: unknown) => void
}

/** The built page. Builds it first if it is missing or its sources have changed; without sources it is taken as it is. Never rejects. */
export async function openPage(place: PagePlace, { onBuild, onProblem }: OpeningPage): Promise<Page> {
  const dist = join(place.app, 'dist')
  let problem = `there is no page at ${dist}`
  try {
    const hash = await sourcesHash(place)
    const built = await readFile(join(dist, stampFile), 'utf8').catch(() => null)
    if (hash !== null && built !== hash) {
      onBuild()
      await buildPage(place)
    }
  } catch (error) {
    onProblem(error)
    problem = textOf(error)
  }
  try {
    const files = await readPage(dist)
    if (files.has('/index.html')) return { files }
  } catch (error) {
    onProblem(error)
  }
  return { problem }
}

/** Builds the page with vite, in a process of its own, whose memory is free afterwards. Rejects with what vite says. */
export async function buildPage(place: PagePlace): Promise<void> {
  const hash = await sourcesHash(place)
  if (hash === null) throw new Error(`the folder ${place.app} holds no sources of the page`)
  const manifest = createRequire(join(place.app, 'package.json')).resolve('vite/package.json')
  const vite = join(dirname(manifest), 'bin/vite.js')
  await promisify(execFile)(process.execPath, [vite, 'build', '--logLevel', 'warn'], {
    cwd: place.app,
    timeout: buildTimeoutMs,
    env: { ...process.env, NODE_ENV: 'production' },
  })
  await writeFile(join(place.app, 'dist', stampFile), hash)
}

/** A hash over the sources of the page; null: there are none, as in an image. */
async function sourcesHash({ app, uses }: PagePlace): Promise<string | null> {
  if (!existsSync(join(app, 'src'))) return null
  const own = ['index.html', 'package.json', 'vite.config.*', 'tsconfig.json', 'src/**/*', 'public/**/*']
  const files = [
    ...(await namesOf(app, own)),
    ...(await Promise.all(uses.map((folder) => namesOf(folder, ['**/*.ts'])))).flat(),
  ].sort()
  const hash = createHash('sha256')
  for (const [file, bytes] of await Promise.all(files.map(async (file) => [file, await readFile(file)] as const)))
    hash.update(`${relative(app, file)}\0${bytes.length}\0`).update(bytes)
  return hash.digest('hex')
}

async function namesOf(cwd: string, patterns: readonly string[]): Promise<string[]> {
  const names: string[] = []
  for await (const entry of glob([...patterns], { cwd, withFileTypes: true }))
    if (entry.isFile() && !entry.name.includes('.test.')) names.push(join(entry.parentPath, entry.name))
  return names
}

function textOf(error: unknown): string {
  const { message, stderr } = error as { readonly message: string; readonly stderr?: string }
  return stderr === undefined || stderr === '' ? message : stderr
}
