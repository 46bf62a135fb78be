import type { Browser, Locator, Page } from 'playwright-core'
import { eventually } from '../harness/eventually.ts'

/** How a page is opened. */
export interface PageOptions {
  /** Of the console. */
  readonly url: string
  readonly path?: string
  /** Absent: somebody new. */
  readonly userId?: string
  readonly locale?: string
  readonly theme?: 'light' | 'dark'
  readonly isPhone?: boolean
}

/** A page of the console in a profile of its own. */
export interface ConsolePage {
  readonly page: Page
  /** What the page threw or wrote as an error since it was opened, without failed requests. */
  readonly errors: readonly string[]
  /** Another tab of the same profile. */
  tab(path?: string): Promise<Page>
  close(): Promise<void>
}

/** Opens the console in a fresh profile. */
export async function openConsole(browser: Browser, options: PageOptions): Promise<ConsolePage> {
  const { url, path = '/', userId, locale = 'en', theme = 'light', isPhone = false } = options
  const context = await browser.newContext({
    colorScheme: theme,
    reducedMotion: 'reduce',
    ...(isPhone
      ? { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }
      : { viewport: { width: 1280, height: 860 } }),
  })
  const stored = { 'freshet.locale': locale, ...(userId !== undefined && { 'freshet.user': userId }) }
  await context.addInitScript(`for (const [key, value] of Object.entries(${JSON.stringify(stored)}))
    if (localStorage.getItem(key) === null) localStorage.setItem(key, value)`)
  const errors: string[] = []
  const tab = async (at = '/'): Promise<Page> => {
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        errors.push(message.text())
    })
    await page.goto(url + at)
    return page
  }
  return { page: await tab(path), errors, tab, close: () => context.close() }
}

/** The pins that are drawn in a feed now, from the top. */
export function drawnPins(page: Page, feed = 'Home feed'): Promise<readonly string[]> {
  return page.evaluate<
    string[]
  >(`[...document.querySelectorAll('[role="feed"][aria-label=${JSON.stringify(feed)}] [data-at]')]
    .sort((a, b) => a.dataset.at - b.dataset.at)
    .flatMap((cell) => cell.querySelector('[data-pin]')?.dataset.pin ?? [])`)
}

/** The pin that has the focus; empty: none has. */
export function focusedPin(page: Page): Promise<string> {
  return page.evaluate<string>(`document.activeElement?.dataset.pin ?? ''`)
}

/** How far the page is wider than the screen, CSS pixels. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate<number>(`document.documentElement.scrollWidth - innerWidth`)
}

/** Waits until a feed has drawn pins, and returns them. */
export function feedOf(page: Page, feed = 'Home feed'): Promise<readonly string[]> {
  return eventually(
    `pins in ${feed}`,
    async () => {
      const pins = await drawnPins(page, feed)
      return pins.length > 0 ? pins : null
    },
    30_000,
  )
}

/** The card of a pin. */
export function cardOf(page: Page, pinId: string, feed = 'Home feed'): Locator {
  return page.getByRole('feed', { name: feed }).locator(`[data-pin="${pinId}"]`)
}

/** Waits until the title of a card has come, and returns it. */
export function titleOf(card: Locator): Promise<string> {
  return eventually(
    'the title of a pin',
    async () => {
      const title = await card.getAttribute('aria-label')
      return title === null || title === (await card.getAttribute('data-pin')) ? null : title
    },
    10_000,
  )
}

/** Waits until the line about freshness says that an action is in the feed, and returns its milliseconds. */
export async function feedReflects(page: Page, action: string): Promise<number> {
  const line = page.getByRole('region', { name: 'Freshness' })
  await line.getByText(action, { exact: true }).waitFor()
  const last = line.locator('li.is-done .number')
  return Number.parseFloat(await last.innerText())
}
