import { Metadata, ServerInterceptingCall, ServerListenerBuilder, status, type ServerInterceptor } from '@grpc/grpc-js'
import { hash } from 'node:crypto'
import type { Access, Identified } from '@freshet/access/access'
import { anonymousCaller, openCaller, type Caller } from '@freshet/access/caller'
import { AccessError } from '@freshet/access/errors'
import { checkCaller, checkMessage, type CallRule } from '@freshet/access/rules'
import { emptySha256 } from '@freshet/access/signature'
import type { GrpcService } from './grpc-service.ts'

/** The access of a gRPC server. */
export interface GrpcAccess {
  /** Checks the metadata and the messages of every call. */
  readonly interceptor: ServerInterceptor
  /** The services with what the check needs. Throws if a method has no rule. */
  readonly services: readonly GrpcService[]
}

const callers = new WeakMap<Metadata, Caller>()

/** Who makes a gRPC call. Only calls that the server has admitted have a caller. */
export function callerOf(call: { readonly metadata: Metadata }): Caller {
  return callers.get(call.metadata) ?? anonymousCaller
}

/** Whoever shows a certificate of `tls.clientCaFile`, and no key, is another service. The server has checked the certificate. */
function withCertificate(found: Identified, call: Pick<ServerInterceptingCall, 'getAuthContext'>): Identified {
  if (found.caller.kind !== 'anonymous') return found
  const { sslPeerCertificate: certificate } = call.getAuthContext()
  if (certificate === undefined) return found
  const keyId = `certificate ${certificate.serialNumber}`
  return { ...found, caller: { kind: 'internal', keyId, userId: null } }
}

/** The rules of the services that every server has, by the beginning of their methods. */
const builtIn = [
  { prefix: '/grpc.health.v1.Health/', rule: { rule: 'public' } },
  { prefix: '/grpc.reflection.v1.ServerReflection/', rule: { rule: 'trusted' } },
  { prefix: '/grpc.reflection.v1alpha.ServerReflection/', rule: { rule: 'trusted' } },
] as const satisfies readonly { readonly prefix: string; readonly rule: CallRule<never> }[]

/** A method with who may call it. */
interface MethodRule {
  /** The full method, `/package.Service/Method`; `*`: every method of the service. */
  readonly path: string
  readonly rule: CallRule<never>
}

/** The rules of all methods of services, and of those that every server has. Throws if a method has no rule. */
export function rulesOf(services: readonly GrpcService[]): readonly MethodRule[] {
  return [
    ...services.flatMap(rulesByPath).map(([path, rule]) => ({ path, rule })),
    ...builtIn.map(({ prefix, rule }) => ({ path: `${prefix}*`, rule })),
  ]
}

/** Checks the callers of a server. Throws if a method has no rule. */
export function createGrpcAccess(
  services: readonly GrpcService[],
  { access, onRefused }: { readonly access: Access; readonly onRefused: (code: string) => void },
): GrpcAccess {
  const rules = new Map(services.flatMap(rulesByPath))
  const bytesOf = new WeakMap<object, Buffer>()
  const ruleOf = (path: string): CallRule | undefined =>
    (rules.get(path) ?? builtIn.find(({ prefix }) => path.startsWith(prefix))?.rule) as CallRule | undefined

  const interceptor: ServerInterceptor = (method, call) => {
    const rule = ruleOf(method.path)
    let identified: Identified | null = null
    const refuse = (error: unknown): void => {
      if (error instanceof AccessError) onRefused(error.code)
      call.sendStatus(statusOf(error))
    }
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        if (access.open) {
          callers.set(metadata, openCaller)
          return next(metadata)
        }
        const admitted = (given: Identified): void => {
          const found = withCertificate(given, call)
          try {
            // A method that the server does not have has no rule: it is answered as unimplemented.
            if (rule !== undefined) checkCaller(rule, found.caller)
            // The signature of a stream covers no message: they are not known when it begins.
            if (method.requestStream) found.signature?.check(signedOf(method.path, emptySha256))
          } catch (error) {
            return refuse(error)
          }
          identified = found
          callers.set(metadata, found.caller)
          next(metadata)
        }
        if (rule === undefined || rule.rule === 'public')
          return admitted({ caller: anonymousCaller, signature: null, origins: null })
        try {
          const found = access.identify((header) => metadata.get(header).map(String))
          if ('then' in found) found.then(admitted, refuse)
          else admitted(found)
        } catch (error) {
          refuse(error)
        }
      })
      .withOnReceiveMessage((message: unknown, next) => {
        if (identified === null || rule === undefined) return next(message)
        try {
          if (!method.requestStream) checkBytes(identified, method.path, bytesIn(bytesOf, message))
          const read = messageIn(message)
          // A message that cannot be decoded asks for nothing: the handler refuses it.
          if (read !== undefined) checkMessage(rule, identified.caller, read)
        } catch (error) {
          return refuse(error)
        }
        next(message)
      })
      .build()
    return new ServerInterceptingCall(call, { start: (next) => next(listener) })
  }
  return { interceptor, services: access.open ? services : services.map((service) => keepingBytes(service, bytesOf)) }
}

function rulesByPath({ definition, rules }: GrpcService): (readonly [string, CallRule<never>])[] {
  return Object.entries(definition).map(([name, { path }]) => {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (rule === undefined) throw new Error(`the gRPC method ${path} has no access rule`)
    return [path, rule]
  })
}

/** Keeps the bytes of each message until its signature is checked. */
function keepingBytes(service: GrpcService, bytesOf: WeakMap<object, Buffer>): GrpcService {
  const definition = Object.fromEntries(
    Object.entries(service.definition).map(([name, method]) => {
      const requestDeserialize = (bytes: Buffer): unknown => {
        const message: unknown = method.requestDeserialize(bytes)
        if (typeof message === 'object' && message !== null) bytesOf.set(message, bytes)
        return message
      }
      return [name, { ...method, requestDeserialize }]
    }),
  )
  return { ...service, definition }
}

function bytesIn(bytesOf: WeakMap<object, Buffer>, message: unknown): Buffer | null {
  if (typeof message !== 'object' || message === null) return null
  const bytes = bytesOf.get(message) ?? null
  bytesOf.delete(message)
  return bytes
}

function checkBytes({ signature }: Identified, path: string, bytes: Buffer | null): void {
  if (signature === null) return
  if (bytes === null) throw new AccessError('ACCESS_SIGNATURE_WRONG', 'the call takes no signed requests')
  signature.check(signedOf(path, hash('sha256', bytes, 'hex')))
}

function signedOf(path: string, bodySha256: string) {
  return { method: 'GRPC', path, bodySha256 }
}

/** The message in what our decoders return, `{ message }` or `{ problem }`; undefined: it cannot be decoded. */
function messageIn(decoded: unknown): unknown {
  if (typeof decoded !== 'object' || decoded === null) return decoded
  return 'problem' in decoded ? undefined : 'message' in decoded ? decoded.message : decoded
}

const codes = {
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  500: status.INTERNAL,
  503: status.UNAVAILABLE,
}

function statusOf(error: unknown) {
  if (!(error instanceof AccessError)) return { code: status.INTERNAL, details: 'a defect' }
  return { code: codes[error.httpStatus], details: `${error.code}: ${error.message}` }
}
