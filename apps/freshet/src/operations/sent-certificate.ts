import { channelCredentials } from '@freshet/service/grpc-credentials'
import { createMetrics } from '@freshet/service/metrics'
import { silentReport } from '@freshet/service/reporting'
import { openTls } from '@freshet/service/tls'
import { tlsSchema } from '@freshet/service/tls-settings'
import { ArgumentError } from '../arguments.ts'

const variables = {
  caFile: 'FRESHET_TLS_CA_FILE',
  certFile: 'FRESHET_TLS_CERT_FILE',
  keyFile: 'FRESHET_TLS_KEY_FILE',
} as const

/** How commands call a blender: by TLS with the certificates that the variables of `tls` name, as services do; without them in the clear. Throws ARGUMENT_INVALID. */
export function sentCertificate(env: Readonly<Record<string, string | undefined>> = process.env) {
  const given = Object.entries(variables).map(([key, variable]) => [
    key,
    env[variable] === '' ? null : (env[variable] ?? null),
  ])
  const parsed = tlsSchema.safeParse(Object.fromEntries(given))
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `tls.${path.join('.')} ${message}`)
    throw new ArgumentError(`the variables FRESHET_TLS_…: ${problems.join('; ')}`)
  }
  const tls = openTls({ config: parsed.data, metrics: createMetrics(), report: silentReport })
  return channelCredentials(tls.client())
}
