import { decodeUserErasure } from '../codecs/onward.ts'
import { ContractError } from '../errors.ts'
import { readUser, type ReadUser, type ReadUserOptions } from './read-user.ts'

const topic = 'erasures.v1'

/** When a user was erased, milliseconds since the epoch; null: not at all. Reads the user's partition of `erasures.v1`, which keeps one record for each erased user. */
export async function erasedAtMs(
  log: ReadUser['log'],
  userId: string,
  options: ReadUserOptions = {},
): Promise<number | null> {
  let found: number | null = null
  const onValue = (value: Uint8Array | null): void => {
    found = value === null ? null : decodeUserErasure(value).erasedAtMs
  }
  await readUser({ ...options, log, topic, userId, onValue })
  return found
}

/** The error for an erased user, whose data must not be shown. */
export function userErased(userId: string, atMs: number): ContractError {
  return new ContractError(
    'USER_ERASED',
    `${userId} was erased at ${new Date(atMs).toISOString()}; nothing from before is shown`,
  )
}
