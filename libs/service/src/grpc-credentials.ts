import { credentials, experimental, ServerCredentials, type ChannelCredentials } from '@grpc/grpc-js'
import type { SecureContextOptions } from 'node:tls'
import type { TlsClient, TlsServer } from './tls.ts'

/**
 * Credentials of a gRPC server whose certificates follow their files. `FileWatcherCertificateProvider` of grpc-js would not
 * do: while a file cannot be read it refuses every connection, and it takes a certificate before its key is there.
 */
class FollowingServerCredentials extends ServerCredentials {
  constructor({ requestCert, rejectUnauthorized, context, onChange }: TlsServer) {
    super({ requestCert, rejectUnauthorized }, context())
    onChange((next: SecureContextOptions) => this.updateSecureContextOptions(next))
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this
  }
}

/** Credentials of a gRPC server; null: without TLS. */
export function serverCredentials(tls: TlsServer | null): ServerCredentials {
  return tls === null ? ServerCredentials.createInsecure() : new FollowingServerCredentials(tls)
}

/** Credentials of channels to other services; null: without TLS. */
export function channelCredentials(tls: TlsClient | null): ChannelCredentials {
  if (tls === null) return credentials.createInsecure()
  const { cert } = tls.material()
  const provider = createProvider(tls)
  return experimental.createCertificateProviderChannelCredentials(provider, cert === null ? null : provider)
}

function createProvider(tls: TlsClient): experimental.CertificateProvider {
  const ends = new Map<unknown, () => void>()
  const follow = <Update>(listener: (update: Update) => void, updateOf: () => Update): void => {
    ends.set(
      listener,
      tls.onChange(() => listener(updateOf())),
    )
    listener(updateOf())
  }
  const unfollow = (listener: unknown): void => {
    ends.get(listener)?.()
    ends.delete(listener)
  }
  return {
    addCaCertificateListener: (listener) =>
      follow(listener, () => ({ caCertificate: Buffer.from(tls.material().ca ?? '') })),
    addIdentityCertificateListener: (listener) =>
      follow(listener, () => {
        const { cert, key } = tls.material()
        return { certificate: Buffer.from(cert ?? ''), privateKey: Buffer.from(key ?? '') }
      }),
    removeCaCertificateListener: unfollow,
    removeIdentityCertificateListener: unfollow,
  }
}
