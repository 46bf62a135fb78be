/** What grpc-js says about a connection that failed for TLS, and what to change. grpc-js gives a text only, without the code of the error. */
const problems: readonly (readonly [said: RegExp, problem: string])[] = [
  [
    /certificate required|bad certificate|unknown ca\b|certificate unknown|alert handshake failure/i,
    'the service refused the certificate of this client: set tls.certFile and tls.keyFile to a certificate of the authorities in its tls.clientCaFile',
  ],
  [
    /self-signed certificate|unable to verify|unable to get (local )?issuer/i,
    'nobody who is trusted signed the certificate of the service: name the file of its authority in tls.caFile',
  ],
  [
    /Hostname\/IP does not match/i,
    'the certificate of the service is for another name: use a name of the certificate in the address of the service',
  ],
  [/certificate has expired|certificate is not yet valid/i, 'the certificate of the service is not valid now'],
  [
    /wrong version number|packet length too long/i,
    'the port of the service does not speak TLS: set tls.certFile there, or unset tls.caFile here',
  ],
]

/** Why a call failed for TLS, with the setting to change; null: it did not fail for TLS. */
export function tlsProblemIn(details: string): string | null {
  const found = problems.find(([said]) => said.test(details))
  if (found === undefined) return null
  const said = /Last error: (?:Error: )?(.*)/.exec(details)?.[1] ?? details
  return `${found[1]} (${said.replaceAll(/[0-9A-F]{8,}:error:|:\.\.\/\S*|\. Resolution note:.*/g, '').trim()})`
}
