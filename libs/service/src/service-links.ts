type Environment = Readonly<Record<string, string | undefined>>

const suffixes = /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/
const address = /^(?:tcp|udp|sctp):\/\//i

/**
 * The variables that Kubernetes puts into each container for every Service of its namespace, and Docker for linked
 * containers: `X_SERVICE_HOST`, `X_SERVICE_PORT`, `X_SERVICE_PORT_NAME`, `X_PORT=tcp://…` and `X_PORT_80_TCP…`. Their names
 * can equal those of our settings: a Service `freshet-grpc` sets `FRESHET_GRPC_PORT` to an address, not to a port number.
 */
export function serviceLinks(env: Environment): ReadonlySet<string> {
  return new Set(
    Object.entries(env).flatMap(([name, text]) =>
      suffixes.test(name) || (name.endsWith('_PORT') && address.test(text ?? '')) ? [name] : [],
    ),
  )
}
