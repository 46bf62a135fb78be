import { createBlenderClient } from '@freshet/adapters/grpc/blender-client'
import { isContractError } from '@freshet/contracts/errors'
import type { Blender } from '@freshet/contracts/ports/calls'
import { ArgumentError } from '../arguments.ts'
import { sentCertificate } from './sent-certificate.ts'
import { refusedKey, sentKey } from './sent-key.ts'

/** Where a blender is, and what may end the wait for it. */
export interface BlenderTarget {
  /** HOST:PORT of its gRPC server, as `--target` has it. */
  readonly target: string
  readonly signal: AbortSignal
}

/**
 * Asks a blender over gRPC. Throws its errors, and ARGUMENT_INVALID for a URL and for the port of an HTTP server, which is easily
 * taken for that of the gRPC server.
 */
export async function askBlender<Answer>(
  { target, signal }: BlenderTarget,
  ask: (blender: Blender) => Promise<Answer>,
): Promise<Answer> {
  const wanted = 'give HOST:PORT of the gRPC server of a blender (its setting grpc.port), such as 127.0.0.1:7070'
  if (target.includes('://')) throw new ArgumentError(`--target is ${target}, a URL; ${wanted}`)
  const blender = createBlenderClient({ address: target, key: sentKey, credentials: sentCertificate() })
  try {
    return await ask(blender)
  } catch (error) {
    if (isContractError(error, 'CALL_REFUSED')) throw refusedKey(`${target}: ${error.message}`)
    const codes = ['CALL_UNAVAILABLE', 'CALL_TLS_FAILED', 'CALL_INTERNAL'] as const
    const isUnreachable = codes.some((code) => isContractError(error, code))
    if (isUnreachable && (await speaksHttp(target, signal)))
      throw new ArgumentError(`--target is ${target}, the port of an HTTP server; ${wanted}`)
    throw error
  } finally {
    blender.close()
  }
}

/** Whether a server answers HTTP/1.1. Servers of gRPC speak HTTP/2 alone. */
async function speaksHttp(address: string, signal: AbortSignal): Promise<boolean> {
  try {
    const answer = await fetch(`http://${address}/`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(probeMs)]),
    })
    await answer.body?.cancel()
    return true
  } catch {
    return false
  }
}

const probeMs = 2_000
