import { loadConfig } from '@freshet/service/config'
import { describe, expect, it } from 'vitest'
import { consoleSchema } from './config.ts'
import { consoleArguments } from './short-options.ts'

function settingsOf(text: string): Record<string, string> {
  const words = consoleArguments(text.split(' '))
  return Object.fromEntries(words.flatMap((word, at) => (at % 2 === 0 ? [[word.slice(2), words[at + 1] ?? '']] : [])))
}

describe('the options of freshet console', () => {
  it('are short forms of settings', () => {
    const overrides = settingsOf(
      '--feeds http://b:8070 --operations ranker=http://r:9467 --events=https://e --admin http://e:8081 --operations=blender=http://b:9468 --console.port 1234',
    )
    expect(loadConfig(consoleSchema, { env: {}, overrides })).toMatchObject({
      console: { port: 1234 },
      upstreams: {
        feeds: 'http://b:8070',
        events: 'https://e',
        admin: 'http://e:8081',
        operations: ['ranker=http://r:9467', 'blender=http://b:9468'],
      },
    })
  })

  it.each(['file:///etc/passwd', 'ftp://x', 'localhost:8070', 'x'])('take no address like %s', (url) => {
    const load = (overrides: Record<string, string>) => loadConfig(consoleSchema, { env: {}, overrides })
    const good = { 'upstreams.feeds': 'http://b', 'upstreams.events': 'http://e' }
    expect(() => load({ ...good, 'upstreams.feeds': url })).toThrow(/upstreams\.feeds/)
    expect(() => load({ ...good, 'upstreams.operations': `ranker=${url}` })).toThrow(/upstreams\.operations/)
  })
})
