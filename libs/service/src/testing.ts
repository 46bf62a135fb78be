import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A TCP port that no process listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('the system gave no port')
  return address.port
}

/** Waits until `condition` returns something other than null, false or undefined. Throws an error with `what` after `timeoutMs`. */
export async function until<T>(
  what: string,
  condition: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  timeoutMs = 5_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== null && value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`)
    await sleep(5)
  }
}

/** The environment variables that Kubernetes sets for a Service, for tests. */
export function serviceLinksOf(service: {
  readonly name: string
  readonly clusterIp: string
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[]
}): Record<string, string> {
  const base = upper(service.name)
  const links: Record<string, string> = { [`${base}_SERVICE_HOST`]: service.clusterIp }
  service.ports.forEach(({ name, port, protocol = 'TCP' }, i) => {
    const url = `${protocol.toLowerCase()}://${service.clusterIp}:${port}`
    if (i === 0) Object.assign(links, { [`${base}_SERVICE_PORT`]: String(port), [`${base}_PORT`]: url })
    if (name !== undefined) links[`${base}_SERVICE_PORT_${upper(name)}`] = String(port)
    const one = `${base}_PORT_${port}_${protocol}`
    Object.assign(links, {
      [one]: url,
      [`${one}_PROTO`]: protocol.toLowerCase(),
      [`${one}_PORT`]: String(port),
      [`${one}_ADDR`]: service.clusterIp,
    })
  })
  return links
}

function upper(name: string): string {
  return name.replaceAll('-', '_').toUpperCase()
}
