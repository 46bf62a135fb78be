import { MessageChannel } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { afterMs } from './timer.ts'

/** Blocks the event loop. */
function busyFor(ms: number): void {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs);
}

/** Resolves to the order of an answer and its deadline that both came while the process was busy. */
function raceWhileBusy(deadline: (callback: () => void) => void): Promise<string[]> {
  const heard: string[] = []
  return new Promise((resolve) => {
    const hear = (what: string) => {
      if (heard.push(what) === 2) resolve(heard)
    }
    setImmediate(() => {
      deadline(() => hear('deadline'))
      const { port1, port2 } = new MessageChannel()
      port1.once('message', () => {
        port1.close()
        hear('answer')
      })
      port2.postMessage(null)
      busyFor(20)
    })
  })
}

test('an answer that came while the process was busy is handled before its deadline', async () => {
  for (let i = 0; i < 5; i++) {
    expect(await raceWhileBusy((callback) => void afterMs(5, callback))).toEqual(['answer', 'deadline'])
  }
})

test('a cancelled timer does not fire, even if it was due', async () => {
  const calls: string[] = []
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      afterMs(1, () => calls.push('early'))()
      const takeBack = afterMs(1, () => calls.push('late'))
      // Due in the same turn as the one above, and called back right behind it.
      setTimeout(() => {
        takeBack()
        setTimeout(resolve, 5)
      }, 1)
      busyFor(5)
    })
  })
  expect(calls).toEqual([])
})
