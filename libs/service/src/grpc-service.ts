import type { CallRules } from '@freshet/access/rules'
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'

/** A gRPC service and its implementation. */
export interface GrpcService {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
  /** The access rule of each method, by its name in the definition. A server refuses to start if one is missing. */
  readonly rules: CallRules
}
