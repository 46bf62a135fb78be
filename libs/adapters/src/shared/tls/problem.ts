const untrusted = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
])

/** The first byte of a TLS alert, which a TLS port sends to a client without TLS. */
export const tlsAlertByte = 0x15

/** The message when a TLS alert came as an answer. */
export function speaksTls(remedy: string): string {
  return `the port speaks TLS, this connection does not: ${remedy}`
}

/** TLS alerts (RFC 8446 §6 and older) by what they say about this client. Alerts that are not listed say nothing that a setting could change. */
const alerts: ReadonlyMap<number, 'certificate' | 'agreement' | 'either' | 'name'> = new Map([
  ...([41, 42, 43, 44, 45, 46, 48, 49, 51, 111, 113, 114, 116] as const).map(
    (number) => [number, 'certificate'] as const,
  ),
  ...([60, 70, 71, 86, 109, 110, 115, 120] as const).map((number) => [number, 'agreement'] as const),
  [40, 'either'],
  [112, 'name'],
])

/** The number of the TLS alert with which the other end refused; null: the error is not an alert. */
function alertIn(message: string): number | null {
  const found = /SSL alert number (\d+)/.exec(message)?.[1]
  return found === undefined ? null : Number(found)
}

/** Whether a TLS connection broke off for a reason that no setting explains, such as a decode error of an overloaded server; another attempt may succeed or show the reason. */
export function mayPass(error: unknown): boolean {
  const number = error instanceof Error ? alertIn(error.message) : null
  return number !== null && !alerts.has(number)
}

/** What an alert says, and what to change. */
function alertProblem(number: number, said: string, settings: string): string {
  const seeCertificate = `see ${settings}.certFile and ${settings}.keyFile`
  switch (alerts.get(number)) {
    case 'certificate':
      return `it refused this client's certificate (${said}): ${seeCertificate}`
    case 'either':
      return `it refused the handshake (${said}): it may want a certificate (${seeCertificate}), or another version of TLS`
    case 'agreement':
      return `it accepts no version or cipher of TLS that this client offers (${said}): let it accept TLS 1.2 or newer`
    case 'name':
      return `it does not serve the name that this client asks for (${said}): set ${settings}.serverName`
    case undefined:
      return `it broke off the handshake (${said}): see its log; check ${settings}.caFile and ${settings}.certFile`
  }
}

/** Why a TLS connection failed and what to change, for people; null: not a TLS error. `settings`: the prefix of the settings to name, such as `kafka.tls`. */
export function tlsProblem(error: unknown, settings: string): string | null {
  const { code, message } = error as { readonly code?: unknown; readonly message: string }
  const name = typeof code === 'string' ? code : ''
  const said = message
    .replace(/^Connection error: /, '')
    .replace(
      /^(?:write EPROTO )?[0-9A-F]{8,}:error:[0-9A-F]{8}:[^:]*:[^:]*:([^:]*):.*?(?::SSL alert number (\d+))?\s*$/s,
      (_, text: string, number?: string) => (number === undefined ? text : `${text}, alert ${number}`),
    )
    .trimEnd()
  const alert = alertIn(message)
  if (untrusted.has(name))
    return `its certificate is signed by nobody trusted (${said}): name its authority's file in ${settings}.caFile`
  if (name === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `its certificate is for another name (${said}): use that name, or set ${settings}.serverName`
  if (name.startsWith('CERT_')) return `its certificate is not valid (${name}: ${said})`
  if (
    /WRONG_VERSION_NUMBER|wrong version number|packet length too long|before secure TLS connection/i.test(name + said)
  )
    return `the port does not speak TLS (${said}): use its TLS port, or turn TLS off`
  if (alert !== null) return alertProblem(alert, said, settings)
  if (name === 'EPROTO' || name.startsWith('ERR_SSL_') || name.startsWith('ERR_TLS_'))
    return `no TLS connection (${said})`
  return null
}
