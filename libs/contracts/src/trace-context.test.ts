import { expect, test } from 'vitest'
import { noHeaders } from './headers.ts'
import { traceHeaders, traceOf } from './trace-context.ts'

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

test('a valid trace context is carried', () => {
  expect(traceHeaders(traceparent)).toEqual({ traceparent })
  expect(traceHeaders(traceparent, 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7')).toEqual({
    traceparent,
    tracestate: 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7',
  })
  expect(traceHeaders(traceparent, ['a=1, ', 'b@c=2'])).toEqual({ traceparent, tracestate: 'a=1,b@c=2' })
})

test('a trace context of a later version is carried as version 00', () => {
  expect(traceHeaders(`cc${traceparent.slice(2)}`)).toEqual({ traceparent })
  expect(traceHeaders(`cc${traceparent.slice(2)}-what-the-future-will-be-like`)).toEqual({ traceparent })
})

test.each([
  ['none', undefined],
  ['empty', ''],
  ['several', [traceparent, traceparent]],
  ['the forbidden version', `ff${traceparent.slice(2)}`],
  ['more than version 00 has', `${traceparent}-more`],
  ['upper case', traceparent.toUpperCase()],
  ['no trace id', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
  ['no span id', `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`],
  ['too short', traceparent.slice(0, -1)],
  ['a later version with more but no dash', `cc${traceparent.slice(2)}more`],
])('an invalid traceparent counts as none, tracestate included: %s', (_, given) => {
  expect(traceHeaders(given, 'a=1')).toBe(noHeaders)
})

test.each([
  ['no value', 'a'],
  ['an empty value', 'a='],
  ['a name twice', 'a=1,a=2'],
  ['upper case in a name', 'A=1'],
  ['control characters', 'a=\u0001'],
  ['too many members', Array.from({ length: 33 }, (__, i) => `k${i}=1`).join(',')],
  ['too long', `a=${'x'.repeat(250)},b=${'x'.repeat(250)},c=${'x'.repeat(250)}`],
])('an invalid tracestate goes alone: %s', (_, tracestate) => {
  expect(traceHeaders(traceparent, tracestate)).toEqual({ traceparent })
})

test('passes on only the trace context, as the same object each time', () => {
  const headers = Object.freeze({ origin: 'blender/1', schema: '1', traceparent, tracestate: 'a=1' })
  expect(traceOf(headers)).toEqual({ traceparent, tracestate: 'a=1' })
  expect(traceOf(headers)).toBe(traceOf(headers))
  expect(traceOf({ origin: 'blender/1' })).toBe(noHeaders)
  expect(traceOf({ traceparent: 'nonsense' })).toBe(noHeaders)
})
