import { pass } from '../harness/eventually.ts'
import type { Scenario } from './faults.ts'

/** Hides what browsers forbid in private windows and sandboxed frames. */
const withoutStorage = `for (const name of ['indexedDB', 'localStorage'])
  Object.defineProperty(window, name, { get() { throw new DOMException(name, 'SecurityError') } })`

/** A clock that is a year and a bit ahead. */
const wrongClock = `{
  const aheadMs = 400 * 86_400_000
  const RealDate = Date
  window.Date = class extends RealDate {
    constructor(...args) { args.length > 0 ? super(...args) : super(RealDate.now() + aheadMs) }
    static now() { return RealDate.now() + aheadMs }
  }
}`

/** Pages and users that do what the SDK would rather not see, in Chromium. */
export const hostileScenarios: readonly Scenario[] = [
  [
    'storage forbidden',
    async ({ context, proxy, open, track, drained }) => {
      await context.addInitScript(withoutStorage)
      const page = await open()
      proxy.set('refuse')
      const tracking = track(page, 60, 5)
      await pass(500)
      proxy.set('none')
      await tracking
      await drained(page)
    },
  ],
  [
    'clock 400 days ahead',
    async ({ context, proxy, open, track, drained }) => {
      await context.addInitScript(wrongClock)
      const page = await open()
      await track(page, 20, 5)
      proxy.set('refuse')
      await track(page, 20, 5)
      proxy.set('none')
      await drained(page)
    },
  ],
  [
    'more events than a closing page may send',
    async ({ proxy, open, track, drained }) => {
      proxy.set({ delayMs: 100 })
      const page = await open()
      await track(page, 1_000)
      await page.goto('about:blank')
      await page.close()
      proxy.set('none')
      await drained(await open())
    },
  ],
  [
    'script loaded twice, two clients with the same options',
    async ({ proxy, open, track, drained }) => {
      proxy.set({ delayMs: 60 })
      const page = await open()
      await page.addScriptTag({ url: '/freshet.js' })
      await page.evaluate(
        'void (window.clients = [client, freshet.createFreshet(options), freshet.createFreshet(options)])',
      )
      for (const index of [0, 1, 2, 0, 1, 2]) {
        await page.evaluate(`void (client = clients[${index}])`)
        await track(page, 20)
      }
      await Promise.all([0, 1, 2].map((index) => page.evaluate(`clients[${index}].flush()`)))
      await drained(page)
    },
  ],
  [
    'opt-out in mid-send',
    async ({ proxy, open, track, drained }) => {
      proxy.set({ delayMs: 150 })
      const page = await open()
      await track(page, 40)
      await pass(250)
      await page.evaluate('client.optOut()')
      await track(page, 5)
      await page.evaluate('client.optIn()')
      await track(page, 20)
      await drained(page)
    },
  ],
]
