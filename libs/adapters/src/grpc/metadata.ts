import { Metadata } from '@grpc/grpc-js'
import { headerNames, noHeaders, type MessageHeaders } from '@freshet/contracts/headers'

/** The names that are read from and written to metadata. Others stay out: metadata holds keys and what the transport adds. */
const carried = [headerNames.traceparent, headerNames.tracestate]

/** The headers of a unary call. */
export function headersIn(metadata: Metadata): MessageHeaders {
  const found = carried.flatMap((name) => {
    const values = metadata.get(name)
    return values.length === 0 ? [] : [[name, values.join(',')] as const]
  })
  return found.length === 0 ? noHeaders : Object.freeze(Object.fromEntries(found))
}

/** Headers as the metadata of a unary call. */
export function metadataOf(headers: MessageHeaders): Metadata {
  const metadata = new Metadata()
  for (const name of carried) {
    const value = headers[name]
    if (value !== undefined) metadata.set(name, value)
  }
  return metadata
}
