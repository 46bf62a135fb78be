import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** What the protocol sends: a request, an answer or a notification. */
export interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
}

/** An editor that talks to the language server of a real process. */
export interface EditorClient {
  request(method: string, params: unknown): Promise<unknown>
  notify(method: string, params: unknown): void
  /** The next notification of this method that `isWanted`; those before it are dropped. */
  next<Params>(method: string, isWanted: (params: Params) => boolean): Promise<Params>
  /** Ends the server as editors do; the exit code. */
  stop(): Promise<number | null>
}

/** Starts `freshet spec language-server`. */
export function startEditorClient(): EditorClient {
  const main = join(import.meta.dirname, '../../bin/freshet.js')
  const server = spawn(process.execPath, [main, 'spec', 'language-server', '--stdio'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = new Promise<number | null>((resolve) => server.once('exit', resolve))
  const answers = new Map<number, (message: Message) => void>()
  const notifications: Message[] = []
  let wake = (): void => undefined
  let rest = Buffer.alloc(0)
  server.stdout.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes])
    for (let message = take(); message !== null; message = take()) {
      if (message.id !== undefined && message.method === undefined) answers.get(message.id)?.(message)
      else notifications.push(message)
      wake()
    }
  })

  /** The next whole message; null: more bytes are to come. */
  function take(): Message | null {
    const end = rest.indexOf('\r\n\r\n')
    const length = Number(/Content-Length: (\d+)/i.exec(rest.subarray(0, Math.max(0, end)).toString('latin1'))?.[1])
    if (end < 0 || rest.length < end + 4 + length) return null
    const text = rest.subarray(end + 4, end + 4 + length).toString('utf8')
    rest = rest.subarray(end + 4 + length)
    return JSON.parse(text) as Message
  }

  function send(message: Message): void {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }

  let lastId = 0
  const client: EditorClient = {
    request(method, params) {
      const id = ++lastId
      const answer = new Promise<unknown>((resolve) => answers.set(id, ({ result }) => resolve(result)))
      send({ id, method, params })
      return answer
    },
    notify: (method, params) => send({ method, params }),
    async next<Params>(method: string, isWanted: (params: Params) => boolean) {
      for (;;) {
        const message = notifications.shift()
        if (message === undefined) await new Promise<void>((resolve) => (wake = resolve))
        else if (message.method === method && isWanted(message.params as Params)) return message.params as Params
      }
    },
    async stop() {
      await client.request('shutdown', null)
      client.notify('exit', null)
      return exited
    },
  }
  return client
}
