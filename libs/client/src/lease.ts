import type { Within } from './indexed-db.ts'
import type { StillMine } from './store.ts'

/** Who may send, where there are no Web Locks. Its key sorts after all numbers. */
interface Lease {
  readonly key: typeof leaseKey
  readonly by: string
  readonly until: number
}

/** What the lease needs. */
export interface LeaseTimes {
  now(): number
  after(ms: number, run: () => void): () => void
  /** Another name for each page. */
  readonly me: string
  /** Longer than whoever holds the store goes on without asking again. */
  readonly leaseMs: number
}

const leaseKey = 'lease'
const pollMs = 200

/** Runs something while no other tab does, by a lease in their IndexedDB. */
export async function runLeased<T>(
  run: (isStillMine: StillMine) => Promise<T>,
  within: Within,
  { now, after, me, leaseMs }: LeaseTimes,
): Promise<T> {
  /** Takes, renews or, with 0, gives up the lease; false: another page has it. */
  const lease = async (until: number): Promise<boolean> => {
    let isMine = false
    await within((objects) => {
      const request = objects.get(leaseKey)
      request.onsuccess = () => {
        const { by = me, until: end = 0 } = (request.result ?? {}) as Partial<Lease>
        // A lease from the far future is one of a clock that was set back.
        isMine = by === me || Math.abs(end - now() - leaseMs) > leaseMs
        if (isMine) objects.put({ key: leaseKey, by: me, until })
      }
    }).catch(() => {
      // Without IndexedDB there is nothing to share.
      isMine = true
    })
    return isMine
  }
  const isMine = () => lease(now() + leaseMs)
  while (!(await isMine())) await new Promise<void>((done) => void after(pollMs, done))
  return run(isMine).finally(() => lease(0))
}
