import { BinaryWriter } from '@bufbuild/protobuf/wire'

/** What `google.rpc.ErrorInfo` says about an error. */
export interface ErrorInfo {
  readonly reason: string
  readonly domain: string
  readonly metadata: Readonly<Record<string, string>>
}

/** The bytes of a `google.rpc.ErrorInfo`, which is not among our messages. */
export function errorInfoBytes({ reason, domain, metadata }: ErrorInfo): Uint8Array {
  const writer = new BinaryWriter()
  writer.uint32(10).string(reason)
  writer.uint32(18).string(domain)
  for (const [name, value] of Object.entries(metadata))
    writer.uint32(26).fork().uint32(10).string(name).uint32(18).string(value).join()
  return writer.finish()
}
