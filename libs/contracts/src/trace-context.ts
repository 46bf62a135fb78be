import { headerNames, noHeaders, type MessageHeaders } from './headers.ts'

/** Version 00 of `traceparent`; what follows a dash is of a later version. */
const traceparentForm = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const tracestateMember =
  /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/
const maxTracestateMembers = 32
const maxTracestateCharacters = 512

/**
 * The trace context of a request or record, as W3C Trace Context has it: an invalid `traceparent` counts as none, and with
 * it goes `tracestate`; an invalid or longer `tracestate` goes alone. One of a later version is carried on as version 00.
 */
export function traceHeaders(
  traceparent: string | readonly string[] | undefined,
  tracestate?: string | readonly string[],
): MessageHeaders {
  if (typeof traceparent !== 'string') return noHeaders
  const [, version = '', traceId = '', spanId = '', flags = '', more] = traceparentForm.exec(traceparent.trim()) ?? []
  if (version === '' || version === 'ff' || (version === '00' && more !== undefined)) return noHeaders
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return noHeaders
  const state = tracestateOf(typeof tracestate === 'object' ? tracestate.join(',') : tracestate)
  return Object.freeze({
    [headerNames.traceparent]: `00-${traceId}-${spanId}-${flags}`,
    ...(state !== '' && { [headerNames.tracestate]: state }),
  })
}

function tracestateOf(text: string | undefined): string {
  if (text === undefined || text.length > maxTracestateCharacters) return ''
  const members = text.split(',').map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
  const given = members.filter((member) => member !== '')
  const names = new Set(given.map((member) => member.slice(0, member.indexOf('='))))
  const valid = given.length <= maxTracestateMembers && names.size === given.length
  return valid && given.every((member) => tracestateMember.test(member)) ? given.join(',') : ''
}

const known = new WeakMap<MessageHeaders, MessageHeaders>()

/** The trace context among some headers: what goes on to whatever they lead to. The same frozen object gives the same object. */
export function traceOf(headers: MessageHeaders): MessageHeaders {
  const traceparent = headers[headerNames.traceparent]
  if (traceparent === undefined) return noHeaders
  const before = known.get(headers)
  if (before !== undefined) return before
  const trace = traceHeaders(traceparent, headers[headerNames.tracestate])
  if (Object.isFrozen(headers)) known.set(headers, trace)
  return trace
}
