import type { Logger } from './logging.ts'

/** Each server and code is logged once in this time. The next line has how many were not. */
const quietMs = 10_000

/** Logs refused requests, without anything of the request. There are as many lines as there are servers and codes, however many requests come. */
export function createRefusalLog(
  logger: Pick<Logger, 'warn'>,
  nowMs: () => number,
): (server: string, code: string) => void {
  const logged = new Map<string, { atMs: number; unlogged: number }>()
  return (server, code) => {
    const name = `${server} ${code}`
    const before = logged.get(name)
    const now = nowMs()
    if (before !== undefined && now - before.atMs < quietMs) {
      before.unlogged++
      return
    }
    logged.set(name, { atMs: now, unlogged: 0 })
    const unlogged = before?.unlogged ?? 0
    logger.warn({ part: 'access', server, code, ...(unlogged > 0 && { unlogged }) }, 'refused a request')
  }
}
