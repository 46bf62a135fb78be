import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exampleOrigin } from '@freshet/freshet/dev/config'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, startChromium } from '../harness/chromium.ts'
import { eventually } from '../harness/eventually.ts'
import { postPins } from '../harness/load.ts'
import { freePorts } from '../harness/ports.ts'
import { startDevServer, type DevServer } from './dev-server.ts'
import { packSdk, runProgram, type PackedSdk } from './package.ts'
import { startPageServer } from './page-server.ts'

const root = join(import.meta.dirname, '../..')
const examples = join(root, 'libs/client/examples')
const path = findChromium()
let sdk: PackedSdk
let dev: DevServer
let browser: Browser | null = null
let project = ''
let examplePort = 0
let reactPort = 0

beforeAll(async () => {
  sdk = await packSdk()
  project = await sdk.project()
  const [first = 0, second = 0] = await freePorts(2)
  examplePort = first
  reactPort = second
  const origins = [`http://localhost:${examplePort}`, `http://127.0.0.1:${reactPort}`]
  dev = await startDevServer({ FRESHET_CORS_ORIGINS: origins.join() })
  await postPins(dev.ingestUrl, 60)
  browser = path === null ? null : await startChromium(path)
})
afterAll(async () => {
  await browser?.close()
  await dev?.remove()
  sdk?.remove()
})

const pinsOf = (page: Page): Promise<string[]> =>
  page.evaluate("[...document.querySelectorAll('#feed li')].map((row) => row.firstChild.textContent.trim())")

const withUrls = (example: string): string =>
  example.replace('http://localhost:8080', dev.ingestUrl).replace('http://localhost:8070', dev.feedUrl)

/** Acts in a page with a feed as a user would: looks at it, saves a pin, hides another, asks again. Resolves to the pins of the first feed. */
async function use(page: Page): Promise<readonly string[]> {
  await page.waitForSelector('#feed li', { timeout: 30_000 })
  const before = await pinsOf(page)
  const impressions = page.waitForRequest((request) => (request.postData() ?? '').includes('"impression"'), {
    timeout: 20_000,
  })
  await page.click('#feed li:nth-child(1) >> text=save')
  await page.click('#feed li:nth-child(2) >> text=hide')
  const body = (await impressions).postData() ?? ''
  expect(body).toContain('"position":0')
  const asked = page.waitForRequest((request) => request.url().endsWith('/v1/feed'))
  const answered = page.waitForResponse((response) => response.url().endsWith('/v1/feed'))
  await page.click('#again')
  const { userId, after } = (await asked).postDataJSON() as { readonly userId: string; readonly after: string[] }
  expect(after.length).toBeGreaterThan(0)
  expect(await (await answered).json()).toMatchObject({ freshness: 'FRESHNESS_CURRENT' })
  const again = await eventually(
    'another page',
    async () => {
      const pins = await pinsOf(page)
      return pins.length > 0 && pins.join() !== before.join() ? pins : null
    },
    20_000,
  )
  // Nothing that was shown or hidden comes again.
  expect(again.filter((pin) => before.includes(pin))).toEqual([])
  const state = await fetch(`http://127.0.0.1:${dev.process.ports.operations}/v1/users/${userId}/state`)
  expect(await state.text()).toContain(before[0])
  return before
}

describe('the example', () => {
  it('node.mjs saves pins and gets a feed that is current', async () => {
    await copyFile(join(examples, 'node.mjs'), join(project, 'node.mjs'))
    const { stdout } = await runProgram(process.execPath, ['node.mjs'], {
      cwd: project,
      env: { ...process.env, INGEST_URL: dev.ingestUrl, FEED_URL: dev.feedUrl },
    })
    expect(stdout).toMatch(/^before: pin\d+/)
    expect(stdout).toContain('(CURRENT, NONE)')
  })

  if (browser === null && path === null) {
    it.skip('page.html and react.tsx (skipped: there is no Chromium)', () => undefined)
    return
  }

  it('page.html, pasted into a file, shows a feed that follows what its user does, by the commands of the README', async () => {
    const commands = /```sh\nnpm start\n(npm run sdk:example -- (\S+))\n```/.exec(
      readFileSync(join(root, 'libs/client/README.md'), 'utf8'),
    )
    const [, command = '', file = ''] = commands ?? []
    writeFileSync(join(project, file), withUrls(readFileSync(join(examples, 'page.html'), 'utf8')))
    const [, ...words] = command.split(' ')
    const serving = spawn('npm', ['--prefix', root, ...words, '--port', String(examplePort)], {
      ...{ cwd: project, detached: true, stdio: 'ignore' },
    })
    try {
      const url = `http://localhost:${examplePort}`
      await eventually('the page is served', () => fetch(url).catch(() => null), 20_000)
      const page = await browser!.newPage()
      const failures: string[] = []
      page.on('console', (message) => message.type() === 'error' && failures.push(message.text()))
      await page.goto(url)
      const [first, second] = await use(page)
      // The page says itself that the clicks arrived, and nothing failed on the way.
      const line = `This feed reflects: save ${first}, hide ${second}.`
      await page.waitForFunction(`document.getElementById('line').textContent === ${JSON.stringify(line)}`)
      expect(failures).toEqual([])
      await page.close()
    } finally {
      process.kill(-serving.pid!)
    }
  })

  it('are served where `npm start` allows it by default', () => {
    const text = readFileSync(join(root, 'libs/client/scripts/example.ts'), 'utf8')
    expect(text).toContain(`defaultPort = '${new URL(exampleOrigin).port}'`)
    expect(readFileSync(join(root, 'libs/client/README.md'), 'utf8')).toContain(`open ${exampleOrigin}:`)
  })

  it('page.html, opened from a file, is refused: its origin is null', async () => {
    for (const url of [`${dev.ingestUrl}/v1/engagements`, `${dev.feedUrl}/v1/feed`]) {
      const { status, headers } = await fetch(url, {
        method: 'OPTIONS',
        headers: { origin: 'null', 'access-control-request-method': 'POST' },
      })
      expect([status, headers.get('access-control-allow-origin')]).toEqual([404, null])
    }
  })

  it('react.tsx shows a feed that follows what its user does', async () => {
    const example = readFileSync(join(examples, 'react.tsx'), 'utf8')
    writeFileSync(join(project, 'react.tsx'), withUrls(example))
    const { outputFiles } = await build({
      stdin: {
        contents: `import { createRoot } from 'react-dom/client'
          import { Feed } from './react.tsx'
          createRoot(document.getElementById('app')).render(<Feed />)`,
        resolveDir: project,
        loader: 'jsx',
      },
      ...{ bundle: true, write: false, format: 'iife', jsx: 'automatic', logLevel: 'silent' },
      define: { 'process.env.NODE_ENV': '"production"' },
      nodePaths: [join(root, 'node_modules')],
    })
    const pages = await startPageServer(
      {
        '/': `<!doctype html><div id="app"></div><script src="/app.js"></script>`,
        '/app.js': outputFiles[0]!.text,
      },
      reactPort,
    )
    const page = await browser!.newPage()
    await page.goto(pages.url)
    await use(page)
    await page.close()
    pages.close()
  })
})
