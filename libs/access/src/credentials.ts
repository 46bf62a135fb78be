import { AccessError } from './errors.ts'

/** The credentials of a request as sent. Nothing is checked yet. */
export interface Credentials {
  /** A key, or the id of a server key. */
  readonly key: string | null
  /** The key came as the name of basic authentication, which is for write keys. */
  readonly basic: boolean
  readonly token: string | null
  readonly time: string | null
  readonly signature: string | null
}

const maxKeyLength = 128
const maxTokenLength = 8_192
const keyLike = /^f[wsai]_/

/** A request without credentials. */
const none: Credentials = { key: null, basic: false, token: null, time: null, signature: null }

/** Reads the credentials of a request. `valuesOf`: all values of a header. Throws ACCESS_CREDENTIALS_AMBIGUOUS, ACCESS_KEY_UNKNOWN or ACCESS_TOKEN_INVALID. */
export function readCredentials(valuesOf: (header: string) => readonly string[]): Credentials {
  const one = (header: string): string | null => {
    const values = valuesOf(header)
    if (values.length > 1) throw ambiguous(`the header ${header} came ${values.length} times; send it once`)
    return values[0] ?? null
  }
  const named = one('freshet-key')
  const authorization = one('authorization')
  const time = one('freshet-time')
  const signature = one('freshet-signature')
  if (named === null && authorization === null) {
    if (time !== null || signature !== null)
      throw new AccessError(
        'ACCESS_KEY_MISSING',
        'a signature came without a key; send the id of the server key as `freshet-key`',
      )
    return none
  }
  const { key: second, basic, token } = readAuthorization(authorization)
  if (named !== null && second !== null) throw ambiguous('the request has two keys; send one')
  const key = named ?? second
  if (key !== null && (key === '' || key.length > maxKeyLength)) throw unknownKey()
  return { key, basic: basic && named === null, token, time, signature }
}

/** The error for a key that no key file has. It does not repeat the key. */
export function unknownKey(): AccessError {
  return new AccessError('ACCESS_KEY_UNKNOWN', 'the key is unknown; send a key as `freshet keys create` printed it')
}

function ambiguous(message: string): AccessError {
  return new AccessError('ACCESS_CREDENTIALS_AMBIGUOUS', message)
}

function readAuthorization(value: string | null): Pick<Credentials, 'key' | 'basic' | 'token'> {
  if (value === null) return { key: null, basic: false, token: null }
  const [, scheme = '', given = ''] = /^([A-Za-z]+) +([^ ,]+)$/.exec(value) ?? []
  switch (scheme.toLowerCase()) {
    case 'bearer':
      if (keyLike.test(given)) return { key: given, basic: false, token: null }
      if (given.length > maxTokenLength)
        throw new AccessError('ACCESS_TOKEN_INVALID', `the read token has more than ${maxTokenLength} characters`)
      return { key: null, basic: false, token: given }
    case 'basic': {
      const [name = '', password] = Buffer.from(given, 'base64').toString('latin1').split(':')
      if (password !== '') throw unknownKey()
      return { key: name, basic: true, token: null }
    }
    default:
      throw new AccessError(
        'ACCESS_TOKEN_INVALID',
        'the header authorization is not `Bearer …`; send a read token or a key as `authorization: Bearer …`',
      )
  }
}
