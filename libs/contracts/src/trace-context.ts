import { headerNames, noHeaders, type MessageHeaders } from './headers.ts'

/** Version 00 of `traceparent`; later versions may add text after a further dash. */
const traceparentForm = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const tracestateMember =
  /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/
const maxTracestateMembers = 32
const maxTracestateCharacters = 512

/**
 * The trace context of a request or record, by the rules of W3C Trace Context: an invalid `traceparent` is dropped together
 * with `tracestate`; an invalid or too long `tracestate` is dropped alone. A `traceparent` of a later version becomes version 00.
 */
export function traceHeaders(
  traceparent: string | readonly string[] | undefined,
  tracestate?: string | readonly string[],
): MessageHeaders {
  if (typeof traceparent !== 'string') return noHeaders
  const [, version = '', traceId = '', spanId = '', flags = '', more] = traceparentForm.exec(traceparent.trim()) ?? []
  if (version === '' || version === 'ff' || (version === '00' && more !== undefined)) return noHeaders
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return noHeaders
  const state = validTracestate(typeof tracestate === 'object' ? tracestate.join(',') : tracestate)
  return Object.freeze({
    [headerNames.traceparent]: `00-${traceId}-${spanId}-${flags}`,
    ...(state !== '' && { [headerNames.tracestate]: state }),
  })
}

function validTracestate(text: string | undefined): string {
  if (text === undefined || text.length > maxTracestateCharacters) return ''
  const members = text.split(',').map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
  const given = members.filter((member) => member !== '')
  const names = new Set(given.map((member) => member.slice(0, member.indexOf('='))))
  const valid = given.length <= maxTracestateMembers && names.size === given.length
  return valid && given.every((member) => tracestateMember.test(member)) ? given.join(',') : ''
}

const known = new WeakMap<MessageHeaders, MessageHeaders>()

/** The trace context among some headers, to pass on to the records and calls that they cause. The same frozen object gives the same object. */
export function traceOf(headers: MessageHeaders): MessageHeaders {
  const traceparent = headers[headerNames.traceparent]
  if (traceparent === undefined) return noHeaders
  const before = known.get(headers)
  if (before !== undefined) return before
  const trace = traceHeaders(traceparent, headers[headerNames.tracestate])
  if (Object.isFrozen(headers)) known.set(headers, trace)
  return trace
}
