import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Serves pages and scripts on an origin of its own. */
export interface PageServer {
  readonly url: string
  close(): void
}

/** Starts it; `files` are paths with their contents or, from `file:`, where to read them. Port 0: any free one. */
export async function startPageServer(files: Readonly<Record<string, string>>, port = 0): Promise<PageServer> {
  const server = createServer((request, response) => {
    const path = new URL(request.url!, 'http://page').pathname
    const content = files[path]
    if (content === undefined) return void response.writeHead(404).end()
    const type = path.endsWith('.js') ? 'text/javascript' : 'text/html'
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' })
    response.end(content.startsWith('file:') ? readFileSync(content.slice(5)) : content)
  })
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
