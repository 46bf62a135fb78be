import { readFileSync } from 'node:fs'

/** The descriptors of all protos and of the standard gRPC services, for reflection: the `google.protobuf.FileDescriptorSet` that `npm run proto` writes. */
export function readDescriptors(): Uint8Array {
  return readFileSync(new URL('./gen/descriptors.binpb', import.meta.url))
}
