import { openTcpProxy, type TcpProxy } from '@freshet/adapters/testing/tcp-proxy'
import type { Way } from './row.ts'

/** Ways of a blender that can be cut. */
export interface Ways {
  readonly proxies: ReadonlyMap<Way, TcpProxy>
  /** Settings of a blender that takes them. */
  readonly blenderEnv: Readonly<Record<string, string>>
  /** The address that the blender gets for a service on a port of this machine. */
  wayTo(name: 'candidate-service' | 'ranker', port: number): Promise<string>
  close(): Promise<void>
}

/** Opens proxies for the ways that a row wants to cut. */
export async function openWays(
  wanted: readonly Way[],
  redis: { readonly host: string; readonly port: number },
): Promise<Ways> {
  const proxies = new Map<Way, TcpProxy>()
  if (wanted.includes('redis')) proxies.set('redis', await openTcpProxy(redis))
  const redisPort = proxies.get('redis')?.port
  return {
    proxies,
    blenderEnv: redisPort === undefined ? {} : { FRESHET_REDIS_URL: `redis://127.0.0.1:${redisPort}` },
    async wayTo(name, port) {
      if (!wanted.includes(name)) return `127.0.0.1:${port}`
      const proxy = await openTcpProxy({ host: '127.0.0.1', port })
      proxies.set(name, proxy)
      return `127.0.0.1:${proxy.port}`
    },
    async close() {
      await Promise.all([...proxies.values()].map((proxy) => proxy.close()))
    },
  }
}
