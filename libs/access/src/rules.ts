import { isTrusted, type Caller, type CallerKind } from './caller.ts'
import { AccessError } from './errors.ts'

/**
 * Who may make a call. `public`: everybody. `write`: post engagements. `read-own`: read for the user of a read token.
 * `trusted`: read for everybody, and see how answers came about. `admin`: change the catalogue, users and models. `internal`:
 * services of ours among themselves.
 */
export type Rule = 'public' | 'write' | 'read-own' | 'trusted' | 'admin' | 'internal'

/** The rule of a call, and what of its message matters for access. */
export interface CallRule<Message = unknown> {
  readonly rule: Rule
  /** The user whom the message is about. Callers that are not trusted must have a read token of this user. Empty: nobody. */
  readonly user?: (message: Message) => string
  /** The name of a field that is for trusted callers and that the message sets; null: none. */
  readonly trustedField?: (message: Message) => string | null
  /** Why callers that are not trusted may not send the message, a sentence that begins with the field; null: they may. */
  readonly denied?: (message: Message) => string | null
}

/** The rules of a service's methods. Every method needs one. */
export type CallRules = Readonly<Record<string, CallRule<never>>>

/** The kinds of callers by rule. `read-own` also takes every caller with a read token. */
const kindsOf: Readonly<Record<Rule, readonly CallerKind[]>> = {
  public: ['open', 'anonymous', 'write', 'server', 'reader', 'admin', 'internal'],
  write: ['open', 'write', 'server', 'admin'],
  'read-own': ['open', 'server', 'reader', 'admin', 'internal'],
  trusted: ['open', 'server', 'admin', 'internal'],
  admin: ['open', 'admin'],
  internal: ['open', 'internal'],
}

/** What a caller has to send for a rule. */
const wanted: Readonly<Record<Rule, string>> = {
  public: '',
  write: 'a write key as `freshet-key`, or a signed request of a server key',
  'read-own': 'a read token of the user as `authorization: Bearer …`, or a signed request of a server key',
  trusted: 'a signed request of a server key, or an admin key as `freshet-key`',
  admin: 'an admin key as `freshet-key`',
  internal: 'an internal key as `freshet-key`',
}

/** Throws ACCESS_KEY_MISSING or ACCESS_DENIED if the caller may not make calls with this rule, whatever the message says. */
export function checkCaller({ rule }: CallRule<never>, caller: Caller): void {
  if (kindsOf[rule].includes(caller.kind)) return
  if (rule === 'read-own' && caller.userId !== null) return
  if (caller.kind === 'anonymous')
    throw new AccessError('ACCESS_KEY_MISSING', `the call needs a credential; send ${wanted[rule]}`)
  throw new AccessError('ACCESS_DENIED', `${nameOf(caller)} is not for this call; send ${wanted[rule]}`)
}

/** Whether `checkMessage` has something to check. */
export function readsMessage({ user, trustedField, denied }: CallRule<never>): boolean {
  return user !== undefined || trustedField !== undefined || denied !== undefined
}

/** Throws ACCESS_OTHER_USER, ACCESS_KEY_MISSING or ACCESS_FIELD_DENIED if the caller may not send this message. */
export function checkMessage<Message>(rule: CallRule<Message>, caller: Caller, message: Message): void {
  if (isTrusted(caller)) return
  const field = rule.trustedField?.(message) ?? null
  if (field !== null)
    throw new AccessError('ACCESS_FIELD_DENIED', `${field}: is for trusted callers; send ${wanted.trusted}`)
  const denied = rule.denied?.(message) ?? null
  if (denied !== null) throw new AccessError('ACCESS_FIELD_DENIED', denied)
  const user = rule.user?.(message) ?? ''
  if (user === '' || user === caller.userId) return
  if (caller.userId === null)
    throw new AccessError(
      'ACCESS_DENIED',
      'the call is about a user; send a read token of the user as `authorization: Bearer …` beside the key, or a signed request of a server key',
    )
  throw new AccessError(
    'ACCESS_OTHER_USER',
    'the read token is for another user than the request; send a token whose subject is the user of the request',
  )
}

const names: Readonly<Record<CallerKind, string>> = {
  open: 'the caller',
  anonymous: 'the caller',
  write: 'a write key',
  server: 'a server key',
  reader: 'a read token',
  admin: 'an admin key',
  internal: 'an internal key',
}

function nameOf({ kind }: Caller): string {
  return names[kind]
}
