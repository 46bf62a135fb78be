import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { optionalTextSetting } from '@freshet/settings/setting'
import { z } from 'zod'

/** Turns the id of a user, as callers know it, into the one that is stored. */
export type PseudonymOf = (userId: string) => string

/** Users are stored under the ids that callers give. */
export const noPseudonyms: PseudonymOf = (userId) => userId

const minSecretBytes = 32

/** Settings of pseudonyms; the same in event-ingest and the blender. */
export const pseudonymsSchema = z
  .object({
    secretFile: optionalTextSetting(
      'File with a secret of at least 32 bytes. If set, users are stored and logged under the HMAC of their ids. It must be the same in event-ingest and the blender, and must never change: with another secret all users are new. null: ids are stored as callers give them',
    ),
  })
  .superRefine(({ secretFile }, context) => {
    if (secretFile === null) return
    try {
      readSecret(secretFile)
    } catch (error) {
      context.addIssue({ code: 'custom', path: ['secretFile'], message: (error as Error).message })
    }
  })
  .prefault({})

/** The pseudonyms that the settings ask for: 128 bits of HMAC-SHA256, as 22 characters. An empty id, which stands for no user, stays empty. */
export function pseudonymsOf({ secretFile }: z.output<typeof pseudonymsSchema>): PseudonymOf {
  if (secretFile === null) return noPseudonyms
  const secret = readSecret(secretFile)
  return (userId) =>
    userId === '' ? '' : createHmac('sha256', secret).update(userId).digest().subarray(0, 16).toString('base64url')
}

function readSecret(file: string): Buffer {
  let secret: Buffer
  try {
    secret = readFileSync(file)
  } catch (error) {
    throw new Error(`cannot be read: ${(error as Error).message}`, { cause: error })
  }
  if (secret.length < minSecretBytes) throw new Error(`has ${secret.length} bytes; it needs ${minSecretBytes} or more`)
  return secret
}
