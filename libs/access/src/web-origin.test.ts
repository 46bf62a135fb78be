import { describe, expect, it } from 'vitest'
import { webOriginSchema } from './web-origin.ts'

describe('a web origin', () => {
  it.each([
    '*',
    'https://www.example.org',
    'http://localhost:5173',
    'http://127.0.0.1',
    'http://[::1]:5173',
    'capacitor://localhost',
  ])('may be %s', (text) => {
    expect(webOriginSchema.safeParse(text).success).toBe(true)
  })

  it.each([
    'null',
    '',
    'https://www.example.org/',
    'https://example.org/feed',
    'www.example.org',
    'file://',
    'https://*',
  ])('may not be %j', (text) => {
    expect(webOriginSchema.safeParse(text).error?.issues[0]?.message).toContain('is not a web origin')
  })
})
