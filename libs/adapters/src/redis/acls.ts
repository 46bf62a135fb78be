import type { StoreCallName, StoreRights } from '@freshet/contracts/service-rights'
import { literalPattern } from './state-keys.ts'

/** What the client itself sends, and what asks for the memory policy. */
const connecting = ['ping', 'info', 'select', 'cluster|slots', 'cluster|info'] as const
const script = ['eval', 'evalsha'] as const
/** Of the buckets that replicas share. */
const rates = [...script, 'time', 'get', 'set'] as const
const append = [...script, 'append', 'getrange', 'set', 'pexpire'] as const

/** The commands of each call of the state store, those in its script included. */
const commandsOf: Readonly<Record<StoreCallName, readonly string[]>> = {
  read: ['mget'],
  positions: ['mget'],
  readForFold: ['eval_ro', 'evalsha_ro', 'get', 'mget', 'getrange', 'exists', 'hmget'],
  commit: [...script, 'get', 'set', 'append', 'pexpire', 'persist', 'del', 'hmget', 'hset'],
  scan: ['scan', 'mget'],
  dropScope: ['scan', 'unlink'],
  pointer: ['get'],
  movePointer: [...script, 'get', 'set'],
  append,
  appendIf: [...append, 'strlen', 'get'],
  put: ['set'],
}

/** The rules of `ACL SETUSER` that allow what a process needs, and no more. They set no password and take nothing away: put `reset` before them. */
export function redisAclRules(rights: StoreRights, keyPrefix: string): readonly string[] {
  const { read, write, readPointers, movePointers, calls, sharesRates } = rights
  const prefix = literalPattern(keyPrefix)
  const family = (name: string): string => (name === '*' ? `${prefix}{*` : `${prefix}{${name}.*`)
  const pointer = (name: string): string => `${prefix}pointer/${name}`
  const commands = new Set([...connecting, ...calls.flatMap((call) => commandsOf[call]), ...(sharesRates ? rates : [])])
  return [
    'on',
    ...[...read.map(family), ...readPointers.map(pointer)].map((pattern) => `%R~${pattern}`),
    ...[...write.map(family), ...movePointers.map(pointer)].map((pattern) => `~${pattern}`),
    ...(sharesRates ? [`~${prefix}{rates}:*`] : []),
    ...[...commands].map((command) => `+${command}`),
  ]
}
