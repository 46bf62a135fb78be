import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'

/** A gRPC service and what answers it. */
export interface GrpcService {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
}
