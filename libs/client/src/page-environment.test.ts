import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { pageEnvironment } from './page-environment.ts'

let isFull = false
const texts: Record<string, string> = {}

beforeEach(() => {
  vi.stubGlobal('IntersectionObserver', Object)
  vi.stubGlobal(
    'localStorage',
    new Proxy(texts, {
      set(target, key: string, text: string) {
        if (isFull) throw new Error('QuotaExceededError')
        target[key] = text
        return true
      },
    }),
  )
})
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('what a page keeps', () => {
  it('is what it wrote last, also when localStorage refuses it and holds something older', () => {
    const kept = pageEnvironment().kept('who')
    kept.set('ann')
    isFull = true
    kept.set('bob')
    expect(kept.get()).toBe('bob')
    isFull = false
    kept.set('cleo')
    texts['who'] = 'from another tab'
    expect(kept.get()).toBe('from another tab')
  })
})
