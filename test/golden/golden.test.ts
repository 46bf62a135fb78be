import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { topics } from '@freshet/contracts/topics'
import { describe, expect, it } from 'vitest'
import { samples, type Json, type Sample } from './samples.ts'

/**
 * Bytes of every message as they were when they were first written: `NAME.1.json`, `NAME.2.json`, … one more each time
 * the message gained a field. All of them stay readable. `npm run golden:update` adds what is new and changes no file.
 */
const folder = join(import.meta.dirname, 'messages')
const generated = join(import.meta.dirname, '../../libs/contracts/src/gen')
mkdirSync(folder, { recursive: true })

interface Golden {
  readonly base64: string
  readonly message: Json
}

interface Codec {
  encode(message: unknown): { finish(): Uint8Array }
  decode(bytes: Uint8Array): unknown
  fromJSON(value: unknown): unknown
  toJSON(message: unknown): Json
}

async function codecOf({ name, module }: Sample): Promise<Codec> {
  const exported = (await import(/* @vite-ignore */ join(generated, `${module}.ts`))) as Readonly<Record<string, Codec>>
  const codec = exported[name.split('.').at(-1) ?? '']
  if (codec === undefined) throw new Error(`${module}.ts exports no ${name}`)
  return codec
}

function versionsOf(name: string): Golden[] {
  return readdirSync(folder)
    .filter((file) => new RegExp(`^${name.replaceAll('.', '\\.')}\\.\\d+\\.json$`).test(file))
    .sort((a, b) => Number(a.split('.').at(-2)) - Number(b.split('.').at(-2)))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Golden)
}

const all = samples()

describe('golden bytes', () => {
  it('exist for the message of every topic', () => {
    const names = all.map(({ name }) => name)
    expect(Object.values(topics).filter(({ message }) => !names.includes(message))).toEqual([])
  })

  it.each(Object.entries(topics))('of the message of %s are as many as its schema version', (_, topic) => {
    expect(versionsOf(topic.message)).toHaveLength(topic.schemaVersion)
  })

  it.each(all.map((sample) => [sample.name, sample] as const))(
    '%s is written as its newest golden bytes',
    async (name, sample) => {
      const codec = await codecOf(sample)
      const bytes = Buffer.from(codec.encode(codec.fromJSON(sample.value)).finish()).toString('base64')
      const versions = versionsOf(name)
      if (process.env['UPDATE_GOLDEN'] === '1' && versions.at(-1)?.base64 !== bytes) {
        const golden: Golden = { base64: bytes, message: codec.toJSON(codec.fromJSON(sample.value)) }
        writeFileSync(join(folder, `${name}.${versions.length + 1}.json`), `${JSON.stringify(golden, null, 2)}\n`)
        return
      }
      expect(versions.at(-1)?.base64, 'new or changed: `npm run golden:update` adds a version').toBe(bytes)
    },
  )

  it.each(all.map((sample) => [sample.name, sample] as const))(
    '%s of every version is still read',
    async (name, sample) => {
      const codec = await codecOf(sample)
      for (const { base64, message } of versionsOf(name)) {
        expect(codec.toJSON(codec.decode(Buffer.from(base64, 'base64')))).toMatchObject(message as object)
      }
    },
  )
})
