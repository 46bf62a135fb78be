import { connect as connectPlainly } from 'node:net'
import { connect as connectByTls } from 'node:tls'
import type { TlsOptions } from '../shared/tls/files.ts'
import { speaksTls, tlsProblem } from '../shared/tls/problem.ts'

type Outcome = { readonly error: Error } | { readonly said: string } | null

/**
 * Finds out why connecting to a Redis fails although its port is open; null: the reason is not visible from outside.
 * A server that expects the other kind of connection, or a client's certificate, often just hangs up.
 */
export async function diagnosis(address: URL, tls: TlsOptions, timeoutMs: number): Promise<string | null> {
  const place = { host: address.hostname, port: Number(address.port || 6379) }
  if (address.protocol === 'redis:') {
    const answer = await outcome(connectByTls({ ...place, rejectUnauthorized: false }), 'secureConnect', '', timeoutMs)
    return answer !== null && 'said' in answer ? speaksTls('write rediss:// in the address') : null
  }
  const answer = await outcome(connectPlainly(place), 'connect', 'PING\r\n', timeoutMs)
  if (answer !== null && 'said' in answer && /^[+-]/.test(answer.said))
    return 'the port does not speak TLS: use its TLS port, or write redis:// in the address'
  // Send nothing: read the server's complaint about this client before it hangs up.
  const refusal = await outcome(connectByTls({ ...place, ...tls }), null, '', timeoutMs)
  return refusal !== null && 'error' in refusal ? tlsProblem(refusal.error, 'redis.tls') : null
}

/** Resolves to the first of: an error, or the event (with `greeting`: the first bytes after sending it); null: nothing in time. */
function outcome(
  socket: ReturnType<typeof connectPlainly>,
  event: 'connect' | 'secureConnect' | null,
  greeting: string,
  timeoutMs: number,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const end = (result: Outcome): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    const timer = setTimeout(() => end(null), timeoutMs)
    socket.on('error', (error) => end({ error }))
    socket.on('close', () => end(null))
    socket.on('data', (bytes) => end({ said: bytes.toString('latin1') }))
    if (event !== null) socket.on(event, () => (greeting === '' ? end({ said: '' }) : socket.write(greeting)))
  })
}
