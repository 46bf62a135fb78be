import { z } from 'zod'
import { AccessError } from './errors.ts'
import { webOriginSchema } from './web-origin.ts'

/** The kinds of keys, with the prefix of their text. */
export const keyPrefixes = { write: 'fw', server: 'fs', admin: 'fa', internal: 'fi' } as const

/** What a key is for. */
export type KeyKind = keyof typeof keyPrefixes

const keyId = /^f[wsai]_[a-z2-7]{10}$/
const keyText = /^(f[wsai]_[a-z2-7]{10})_[A-Za-z0-9]{32,64}$/

const time = z.iso.datetime({ error: 'is not a time such as 2026-01-31T12:00:00Z' })
const common = {
  id: z.string().regex(keyId, 'is not the id of a key, such as fw_ab2cd3ef4g'),
  project: z.string().min(1).max(64),
  createdAt: time,
  expiresAt: time.nullable().default(null),
  revokedAt: time.nullable().default(null),
}
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 in 64 hexadecimal digits')
const entrySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('write'),
    ...common,
    sha256,
    origins: z.array(webOriginSchema).max(100).default([]),
  }),
  z.strictObject({ kind: z.literal('admin'), ...common, sha256 }),
  z.strictObject({ kind: z.literal('internal'), ...common, sha256 }),
  z.strictObject({
    kind: z.literal('server'),
    ...common,
    secret: z.string().regex(keyText, 'is not the text of a server key, fs_…'),
  }),
])
const fileSchema = z.strictObject({ version: z.literal(1), keys: z.array(entrySchema).max(10_000) })

/** A key as the file has it: the hash of the key, or the secret of a server key. */
export type KeyEntry = z.output<typeof entrySchema>

/** The content of a key file. */
export type KeyFile = z.output<typeof fileSchema>

/** The id in the text of a key, `fw_ab2cd3ef4g_…`; null: the text is not a key. */
export function idOfKey(text: string): string | null {
  return keyText.exec(text)?.[1] ?? null
}

/** Whether a text is the id of a server key. */
export function isServerKeyId(text: string): boolean {
  return text.startsWith('fs_') && keyId.test(text)
}

/** Reads the text of a key file. Throws ACCESS_KEYS_INVALID with all problems. `name`: how the problems call the file. */
export function parseKeyFile(text: string, name: string): KeyFile {
  const json = jsonIn(text, name)
  const parsed = fileSchema.safeParse(json)
  const problems = parsed.success
    ? problemsOf(parsed.data)
    : parsed.error.issues.map(({ path, message }) => `${placeOf(path)}: ${message}`)
  if (parsed.success && problems.length === 0) return parsed.data
  throw invalid(name, problems)
}

/** An error that lists the problems of a file, without its content. */
export function invalid(name: string, problems: readonly string[], cause?: unknown): AccessError {
  const list = problems.map((problem) => `\n  - ${problem}`).join('')
  return new AccessError('ACCESS_KEYS_INVALID', `${name} cannot be used:${list}`, { cause })
}

function jsonIn(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The message of JSON.parse quotes the text, which holds secrets.
    throw invalid(name, ['it is not JSON'])
  }
}

function problemsOf({ keys }: KeyFile): string[] {
  const seen = new Set<string>()
  return keys.flatMap((key, at) => {
    const problems: string[] = []
    if (seen.has(key.id)) problems.push(`keys[${at}].id: occurs twice`)
    seen.add(key.id)
    if (!key.id.startsWith(`${keyPrefixes[key.kind]}_`))
      problems.push(`keys[${at}].id: does not begin with ${keyPrefixes[key.kind]}_, as ids of the kind ${key.kind} do`)
    if (key.kind === 'server' && idOfKey(key.secret) !== key.id)
      problems.push(`keys[${at}].secret: does not belong to the id`)
    return problems
  })
}

function placeOf(path: readonly PropertyKey[]): string {
  const place = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  return place === '' ? 'the file' : place.replace(/^\./, '')
}
