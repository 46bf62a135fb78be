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

/** Why a TLS connection failed and what to change, for people; null: not a TLS error. `settings`: the prefix of the settings to name, such as `kafka.tls`. */
export function tlsProblem(error: unknown, settings: string): string | null {
  const { code, message } = error as { readonly code?: unknown; readonly message: string }
  const name = typeof code === 'string' ? code : ''
  const said = message.replace(/^Connection error: /, '').replaceAll(/[0-9A-F]{8,}:error:|\s+$/g, '')
  if (untrusted.has(name))
    return `its certificate is signed by nobody trusted (${said}): name its authority's file in ${settings}.caFile`
  if (name === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `its certificate is for another name (${said}): use that name, or set ${settings}.serverName`
  if (name.startsWith('CERT_')) return `its certificate is not valid (${name}: ${said})`
  if (
    /WRONG_VERSION_NUMBER|wrong version number|packet length too long|before secure TLS connection/i.test(name + said)
  )
    return `the port does not speak TLS (${said}): use its TLS port, or turn TLS off`
  if (/alert|certificate required|bad certificate|unknown ca/i.test(said))
    return `it refused this client's certificate (${said}): see ${settings}.certFile and ${settings}.keyFile`
  if (name === 'EPROTO' || name.startsWith('ERR_SSL_') || name.startsWith('ERR_TLS_'))
    return `no TLS connection (${said})`
  return null
}
