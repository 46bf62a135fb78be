import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'

/** A gRPC service and its implementation. */
export interface GrpcService {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
}
