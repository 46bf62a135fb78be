import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

/** Headers that are about one connection (RFC 9110, 7.6.1). */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]
/** Cookies belong to whatever else runs under this name; `expect` was answered already. */
const notSent = new Set([...hopByHop, 'host', 'cookie', 'expect'])
/** What a page of another origin may do is for the console to say. */
const notAnswered = new Set([
  ...hopByHop,
  'set-cookie',
  ...['origin', 'methods', 'headers', 'credentials'].map((what) => `access-control-allow-${what}`),
])

/**
 * The headers of a request as an upstream gets them. `peer`: the address of the client. `hasBody`: whether the body is sent too; the
 * bodies of GET and HEAD are not, and an upstream that waits for one would take the next request on the connection for it.
 */
export function sentHeaders(
  headers: IncomingHttpHeaders,
  { peer, hasBody }: { readonly peer: string; readonly hasBody: boolean },
): OutgoingHttpHeaders {
  const before = [headers['x-forwarded-for'] ?? []].flat()
  const { 'content-length': length, ...sent } = without(headers, notSent)
  return {
    ...sent,
    ...(hasBody && length !== undefined && { 'content-length': length }),
    'x-forwarded-for': [...before, peer].filter((part) => part !== '').join(', '),
  }
}

/** The headers of an upstream's answer as the page gets them. */
export function answeredHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return without(headers, notAnswered)
}

function without(headers: IncomingHttpHeaders, dropped: ReadonlySet<string>): OutgoingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase())
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name) && !named.includes(name)))
}
