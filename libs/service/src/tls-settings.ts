import { flagSetting, optionalTextSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'
import { readTlsFiles, tlsProblems } from './tls-files.ts'

/** Settings of TLS in servers, and in calls to other services. Named files must be readable and go together. */
export const tlsSchema = z
  .object({
    certFile: optionalTextSetting(
      'PEM file with the certificate of this process and its intermediate authorities. If set, the gRPC and HTTP servers speak only TLS; calls to other services present it too',
    ),
    keyFile: optionalTextSetting('PEM file with the private key of `tls.certFile`'),
    clientCaFile: optionalTextSetting(
      'PEM file with the certificate authorities of clients (mTLS). If set, the servers that `tls.clientCertificates` names refuse clients without a certificate of these authorities, and a client with one may make internal calls',
    ),
    clientCertificates: z.enum(['grpc', 'all', 'optional']).default('grpc').meta({
      description:
        'Which servers require the certificate of a client, if `tls.clientCaFile` is set. `grpc`: the gRPC server; `all`: the HTTP servers too; `optional`: the gRPC server asks for one and accepts clients without',
    }),
    caFile: optionalTextSetting(
      'PEM file with the certificate authorities of the other services. If set, calls to them use TLS',
    ),
    operations: flagSetting(
      false,
      'Whether, with `tls.certFile`, the server for health, metrics and configuration speaks TLS too. It asks no client for a certificate',
    ),
    reloadIntervalMs: wholeSetting(5_000, {
      description:
        'Time between two looks at the files. New connections use changed files; if the new files cannot be used, the process keeps the earlier ones',
      unit: 'ms',
      min: 50,
      max: 3_600_000,
    }),
  })
  .superRefine((config, context) => {
    const { material, problems: unreadable } = readTlsFiles(config)
    const missing: (readonly [string, string])[] = []
    if ((config.certFile === null) !== (config.keyFile === null)) {
      const [absent, given] = config.certFile === null ? ['certFile', 'keyFile'] : ['keyFile', 'certFile']
      missing.push([absent, `tls.${given} is, and a certificate and its key go together`])
    }
    if (config.clientCaFile !== null && config.certFile === null)
      missing.push(['certFile', 'tls.clientCaFile is, and only a server with a certificate can ask clients for theirs'])
    const found = missing.length > 0 || unreadable.length > 0 ? [...missing, ...unreadable] : tlsProblems(material)
    for (const [key, message] of found) context.addIssue({ code: 'custom', path: [key], message })
  })

/** What `tlsSchema` parses to. */
export type TlsConfig = z.output<typeof tlsSchema>
