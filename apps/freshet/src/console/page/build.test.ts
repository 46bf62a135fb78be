import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildPage, openPage, type PagePlace } from './build.ts'

let folder: string
let place: PagePlace
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'freshet-page-'))
  place = { app: join(folder, 'app'), uses: [join(folder, 'used')] }
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(path: string, text: string): void {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** An app whose bundler copies `src/page.html`, or fails if it says so. */
function anApp(): void {
  write('app/package.json', '{"type":"module"}')
  write('app/src/page.html', 'one')
  write('used/part.ts', 'export {}')
  write('app/node_modules/vite/package.json', '{"name":"vite","type":"module"}')
  write(
    'app/node_modules/vite/bin/vite.js',
    `import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
    const text = readFileSync('src/page.html', 'utf8')
    if (text === 'broken') { console.error('line 1: broken'); process.exit(1) }
    mkdirSync('dist', { recursive: true })
    writeFileSync('dist/index.html', text)`,
  )
}

/** Opens the page, and says what it shows, how often it was built and what went wrong. */
async function opened() {
  let builds = 0
  const problems: unknown[] = []
  const page = await openPage(place, { onBuild: () => (builds += 1), onProblem: (error) => problems.push(error) })
  const shown = 'files' in page ? page.files.get('/index.html')!.bytes.toString() : page.problem
  return { shown, builds, problems: problems.length }
}

describe('the page', () => {
  it('is built when it is missing, when a source has changed, and not otherwise', async () => {
    anApp()
    expect(await opened()).toEqual({ shown: 'one', builds: 1, problems: 0 })
    expect(await opened()).toEqual({ shown: 'one', builds: 0, problems: 0 })
    write('app/src/page.html', 'two')
    expect(await opened()).toEqual({ shown: 'two', builds: 1, problems: 0 })
    write('used/part.ts', 'export const changed = 1')
    expect((await opened()).builds).toBe(1)
    write('app/src/page.test.ts', 'tests are not part of the page')
    expect((await opened()).builds).toBe(0)
  })

  it('is the older one when the sources are broken, with a report', async () => {
    anApp()
    await buildPage(place)
    write('app/src/page.html', 'broken')
    expect(await opened()).toEqual({ shown: 'one', builds: 1, problems: 1 })
  })

  it('is missing with the reason when nothing was ever built', async () => {
    anApp()
    write('app/src/page.html', 'broken')
    expect((await opened()).shown).toContain('line 1: broken')
  })

  it('is taken as it is where there are no sources, as in an image', async () => {
    write('app/dist/index.html', 'built elsewhere')
    expect(await opened()).toEqual({ shown: 'built elsewhere', builds: 0, problems: 0 })
  })

  it('is missing where there is neither', async () => {
    expect((await opened()).shown).toContain('there is no page at')
    await expect(buildPage(place)).rejects.toThrow('holds no sources of the page')
    expect(existsSync(join(place.app, 'dist'))).toBe(false)
    expect(() => readFileSync(join(place.app, 'dist', 'index.html'))).toThrow()
  })
})
