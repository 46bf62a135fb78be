import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, startChromium } from '../harness/chromium.ts'
import { createConsoleServer, type ConsoleServer } from './console-server.ts'
import { openConsole, type ConsolePage, type PageOptions } from './page.ts'

/** What the tests of a suite use. */
export interface ConsoleSuite {
  readonly server: () => ConsoleServer
  /** Opens a page, which is closed after the test; the test fails if the page wrote an error. */
  readonly open: (options?: Omit<PageOptions, 'url'>) => Promise<ConsolePage>
}

/**
 * Tests in a real Chromium against one `freshet dev` with a sample of 800 pins, started with the arguments `more`. Without Chromium they
 * are skipped by name.
 */
export function describeConsole(
  name: string,
  tests: (suite: ConsoleSuite) => void,
  more: readonly string[] = [],
): void {
  const path = findChromium()
  if (path === null) {
    describe.skip(`${name} (skipped: there is no Chromium)`, () => {
      it.todo('needs Chromium: FRESHET_CHROMIUM or Debian’s chromium')
    })
    return
  }
  describe(name, () => {
    let server: ConsoleServer
    let browser: Browser
    const opened: ConsolePage[] = []

    beforeAll(async () => {
      server = await createConsoleServer(800, more)
      browser = await startChromium(path)
      await server.process.start(280_000)
    })
    afterAll(async () => {
      await browser?.close()
      await server?.remove()
    })
    afterEach(async () => {
      const errors = opened.flatMap((page) => page.errors)
      await Promise.all(opened.splice(0).map((page) => page.close()))
      expect(errors).toEqual([])
    })
    tests({
      server: () => server,
      async open(options = {}) {
        const page = await openConsole(browser, { url: server.url, ...options })
        opened.push(page)
        return page
      },
    })
  })
}
