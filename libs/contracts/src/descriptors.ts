import { readFileSync } from 'node:fs'

/** The descriptors of all protos and of the standard services of a gRPC server, for reflection: a `google.protobuf.FileDescriptorSet`, as `npm run proto` makes it. */
export function readDescriptors(): Uint8Array {
  return readFileSync(new URL('./gen/descriptors.binpb', import.meta.url))
}
