import { isContractError } from '@freshet/contracts/errors'
import { logClosed } from '../shared/log/errors.ts'
import { lacksRights, unavailable } from './errors.ts'
import type { KafkaSettings } from './options.ts'

const pauseMs = 50

class Late extends Error {}

/** Retries work until it succeeds, fails with an error of the catalogue, or its time is over. */
export type Persistently = <T>(what: string, work: () => Promise<T>, timeoutMs?: number) => Promise<T>

/** `signal` aborts when the log is closed. `timeoutMs` defaults to the append timeout. */
export function createRetrying(settings: KafkaSettings, signal: AbortSignal): Persistently {
  const { clock, appendTimeoutMs } = settings

  function withinMs<T>(ms: number, work: Promise<T>): Promise<T> {
    const over = new AbortController()
    const late = clock
      .sleep(ms, over.signal)
      .then(() => Promise.reject(new Late(`no answer within ${Math.ceil(ms)} ms`)))
    late.catch(() => undefined)
    return Promise.race([work, late]).finally(() => over.abort())
  }

  return async (what, work, timeoutMs = appendTimeoutMs) => {
    const deadlineMs = clock.now() + timeoutMs
    let failure: unknown = null
    for (;;) {
      if (signal.aborted) throw logClosed()
      try {
        return await withinMs(deadlineMs - clock.now(), work())
      } catch (error) {
        if (isContractError(error)) throw error
        if (signal.aborted) throw logClosed()
        // A right that is missing does not come by itself.
        if (lacksRights(error)) throw unavailable(`Kafka (${settings.brokers.join(', ')}): ${what}`, error)
        // The failure of an earlier attempt is more useful than the deadline that interrupted the last one.
        if (failure === null || !(error instanceof Late)) failure = error
        if (clock.now() + pauseMs >= deadlineMs)
          throw unavailable(`Kafka (${settings.brokers.join(', ')}): ${what}`, failure)
        await clock.sleep(pauseMs, signal).catch(() => undefined)
      }
    }
  }
}
