import { describe, expect, it } from 'vitest'
import { pictureAddress } from './picture-address.ts'

const capabilities = { pictures: false, crops: false, words: false }
const own = 'http://localhost:8090'
const addressOf = (imageUrl: string, imageOrigins: readonly string[] = []) =>
  pictureAddress('p 1', imageUrl, { capabilities, imageOrigins, own })

describe('the address of a picture', () => {
  it('is that of the console where the catalogue ships', () => {
    const config = { capabilities: { ...capabilities, pictures: true }, imageOrigins: [], own }
    expect(pictureAddress('p 1', '', config)).toEqual({ url: '/pictures/p%201.svg', refusedOrigin: null })
  })

  it('is refused, with its origin, where the policy does not name it', () => {
    const refused = { url: null, refusedOrigin: 'https://i.example.org' }
    expect(addressOf('https://i.example.org/1.jpg')).toEqual(refused)
    expect(addressOf('https://i.example.org/1.jpg', ['http://i.example.org', 'https://example.org'])).toEqual(refused)
    expect(addressOf('https://i.example.org/1.jpg', ['https://i.example.org:444', 'https://*.ample.org'])).toEqual(
      refused,
    )
  })

  it.each([['https://i.example.org'], ['https://*.example.org'], ['i.example.org'], ['https://*'], ['*']])(
    'is allowed by %s',
    (origin) => {
      const url = 'https://i.example.org/1.jpg'
      expect(addressOf(url, ['https://other.example', origin])).toEqual({ url, refusedOrigin: null })
    },
  )

  it('may be of the page itself, or data', () => {
    expect(addressOf('/a.png')).toEqual({ url: `${own}/a.png`, refusedOrigin: null })
    expect(addressOf('data:image/png;base64,AA')).toEqual({ url: 'data:image/png;base64,AA', refusedOrigin: null })
  })

  it('is nothing where the catalogue has none, or none that can be read', () => {
    for (const imageUrl of ['', 'http://']) expect(addressOf(imageUrl)).toEqual({ url: null, refusedOrigin: null })
  })
})
