import type { RedisOptions } from 'ioredis'
import StandaloneConnector from 'ioredis/built/connectors/StandaloneConnector.js'

type Socket = Awaited<ReturnType<InstanceType<NonNullable<RedisOptions['Connector']>>['connect']>>
type Base = new (
  options: unknown,
) => InstanceType<NonNullable<RedisOptions['Connector']>> & { connect(errorEmitter: never): Promise<Socket> }
// A CommonJS module with a default export of its own.
const Connector = ((StandaloneConnector as unknown as { default?: unknown }).default ?? StandaloneConnector) as Base

/** ioredis listens for one error of a socket. A second one, such as a TLS alert after a refused certificate, would end the process. */
export class SurvivingConnector extends Connector {
  override async connect(errorEmitter: never): Promise<Socket> {
    const stream = await super.connect(errorEmitter)
    stream.on('error', () => undefined)
    return stream
  }
}
