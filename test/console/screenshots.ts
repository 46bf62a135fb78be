/**
 * `npm run console:screenshots`: pictures of every view of the console in light, dark and on a phone, in `test/console/screenshots`, to be
 * looked at. An address (`-- http://127.0.0.1:8090`) takes them of a console that runs already; names after it take only these views.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findChromium, startChromium } from '../harness/chromium.ts'
import { createConsoleServer } from './console-server.ts'
import { everyView } from './every-view.ts'
import { openConsole } from './page.ts'

const [url, ...names] = process.argv.slice(2)
const path = findChromium()
if (path === null) throw new Error('There is no Chromium: set FRESHET_CHROMIUM or install Debian’s chromium.')
const folder = join(import.meta.dirname, 'screenshots')
mkdirSync(folder, { recursive: true })
const server = url === undefined ? await createConsoleServer(2_000) : null
await server?.process.start(280_000)
const browser = await startChromium(path)
const looks = { light: {}, dark: { theme: 'dark' }, phone: { isPhone: true } } as const
for (const { name, path: at, prepare } of everyView) {
  if (names.length > 0 && !names.includes(name)) continue
  for (const [look, options] of Object.entries(looks)) {
    const opened = await openConsole(browser, { url: url ?? server!.url, path: at, userId: 'ada', ...options })
    try {
      await prepare(opened.page)
    } catch (error) {
      console.log(`${name} (${look}): ${String(error).split('\n', 1)[0]}`)
    }
    // Pictures and transitions come to rest.
    await opened.page.waitForLoadState('networkidle', { timeout: 2_000 }).catch(() => undefined)
    await opened.page.screenshot({ path: join(folder, `${name}-${look}.png`) })
    for (const error of opened.errors) console.log(`${name} (${look}): ${error}`)
    await opened.close()
  }
}
await browser.close()
await server?.remove()
console.log(`The pictures are in ${folder}.`)
