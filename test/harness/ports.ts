import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections (from 32,768 on): one of those may be taken again before a process listens on it. */
const lowest = 12_000
const highest = 32_000
const given = new Set<number>()
let next = lowest + ((process.pid * 7_919) % (highest - lowest))

/** So many TCP ports of 127.0.0.1 that nobody listens on, all different, and none that this process was given before. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    next = next >= highest ? lowest : next + 1
    if (given.has(next) || !(await isFree(next))) continue
    given.add(next)
    ports.push(next)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
