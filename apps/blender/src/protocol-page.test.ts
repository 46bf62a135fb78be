import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { aFakeBlender } from '@freshet/adapters/testing/fake-blender'
import { blenderMethods } from '@freshet/contracts/ports/blender-methods'
import type { Blender } from '@freshet/contracts/ports/calls'
import { aBlender, aPin } from './blender.harness.ts'
import { httpAppOf } from './serving.fixture.ts'

const page = readFileSync(new URL('../PROTOCOL.md', import.meta.url), 'utf8')

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** An example of the page: the call, and the fields of the answer that the page shows. */
interface Example {
  readonly command: string
  readonly status: number
  readonly shown: unknown
}

function examples(): Example[] {
  const blocks = page.matchAll(/```\n(curl [^\n]+)\n```\n```json ?(\d*)\n([\s\S]*?)\n```/g)
  return Array.from(blocks, ([, command = '', status = '', shown = '']) => ({
    command,
    status: status === '' ? 200 : Number(status),
    shown: JSON.parse(shown) as unknown,
  }))
}

async function run({ command }: Example, app: FastifyInstance) {
  const url = /localhost:8070([^' ]+)/.exec(command)![1]!
  const body = /-d '(.*)'$/.exec(command)?.[1]
  if (body === undefined) return app.inject({ method: 'GET', url })
  return app.inject({ method: 'POST', url, headers: { 'content-type': 'application/json' }, payload: body })
}

/** A blender with three pins. Its clock and its randomness are those of a test, so its answers are always the same. */
async function started(): Promise<FastifyInstance> {
  const made = await aBlender({ pins: ['pin-1', 'pin-2', 'pin-3'], config: { showUnlistedPins: false } })
  const titled = ['pin-1', 'pin-2', 'pin-3'].map((pinId) => {
    const { kind, pin } = aPin(pinId, { creatorId: 'cara', topics: ['tea'] })
    return { kind, pin: { ...pin, title: `Tea ${pinId.slice(4)}`, imageUrl: `https://img.example/${pinId}.jpg` } }
  })
  await made.tellCatalogue(titled)
  const settled = Object.entries(made.blender)
    .filter(([name]) => name in blenderMethods)
    .map(([name, call]) => [
      name,
      (...given: readonly unknown[]) =>
        made.settle((call as (...all: readonly unknown[]) => Promise<unknown>)(...given)),
    ])
  return httpAppOf(aFakeBlender(Object.fromEntries(settled) as Partial<Blender>), { closing })
}

describe('the page of the protocol', () => {
  test('has an example of every call, and each answers what the page shows', async () => {
    const app = await started()
    const called = new Set<string>()
    // Feed ids differ from run to run of the page: its first answer names the id that later calls use.
    let ids: readonly [string, string] | null = null
    for (const written of examples()) {
      const example = ids === null ? written : (JSON.parse(JSON.stringify(written).replaceAll(...ids)) as Example)
      const answer = await run(example, app)
      const { feedId: shownId } = example.shown as { feedId?: string }
      if (shownId !== undefined) {
        ids = [shownId, answer.json<{ feedId: string }>().feedId]
        Object.assign(example.shown as object, { feedId: ids[1] })
      }
      expect(answer.json(), example.command).toMatchObject(example.shown as object)
      expect(answer.statusCode, example.command).toBe(example.status)
      called.add(/Blender\/(\w+)/.exec(example.command)![1]!)
    }
    expect([...called].sort()).toEqual(
      Object.values(blenderMethods)
        .map(({ name }) => name)
        .sort(),
    )
  })
})
