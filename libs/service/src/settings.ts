import { flagSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'

/** A TCP port setting; 0 lets the system choose. */
function portSetting(port: number, description: string) {
  return z
    .int()
    .min(0)
    .max(65_535)
    .default(port)
    .meta({ description: `${description}; 0: any free one` })
}

const hostSetting = (description: string) => z.string().min(1).default('127.0.0.1').meta({ description })

/**
 * Settings that every process has. Spread into an app's own: `z.object({ ...serviceSettings(9464), … })`. Each app has an
 * operations port of its own, so that all run on one machine.
 */
export function serviceSettings(operationsPort: number) {
  return {
    log: z.object({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
        .default('info')
        .meta({ description: 'The least important log lines that are written' }),
    }),
    operations: z.object({
      host: hostSetting('Address of health, metrics and configuration; `0.0.0.0` in containers'),
      port: portSetting(operationsPort, 'Port of health, metrics and configuration'),
    }),
    stop: z.object({
      timeoutMs: wholeSetting(20_000, {
        description: 'How long finishing, flushing and closing may take before the process ends anyway',
        unit: 'ms',
        min: 100,
        max: 600_000,
      }),
    }),
  } as const
}

/** Settings of a gRPC server, for `z.object({ grpc: z.object(grpcSettings(7070)) })`. */
export function grpcSettings(port: number) {
  return {
    host: hostSetting('Address of the gRPC server; `0.0.0.0` in containers'),
    port: portSetting(port, 'Port of the gRPC server'),
    maxConnectionAgeMs: wholeSetting(90_000, {
      description: 'Connections are renewed after this, so that clients see new replicas',
      unit: 'ms',
      min: 1_000,
      max: 3_600_000,
    }),
    maxConnectionGraceMs: wholeSetting(10_000, {
      description: 'How long calls on an aged connection may still take',
      unit: 'ms',
      min: 100,
      max: 600_000,
    }),
    maxMessageBytes: wholeSetting(4 << 20, {
      description: 'Largest message that is taken',
      unit: 'bytes',
      min: 1_024,
      max: 64 << 20,
    }),
    flowControlWindowBytes: wholeSetting(1 << 20, {
      description: 'HTTP/2 flow control window; a window below the message size costs a round trip a message',
      unit: 'bytes',
      min: 65_535,
      max: 16 << 20,
    }),
    reflection: z.boolean().default(true).meta({ description: 'Whether tools may ask for the message definitions' }),
  } as const
}

/** Settings of an HTTP server, for `z.object({ http: z.object(httpSettings(8080)) })`. */
export function httpSettings(port: number) {
  return {
    host: hostSetting('Address of the HTTP server; `0.0.0.0` in containers'),
    port: portSetting(port, 'Port of the HTTP server'),
    maxReceiveMs: wholeSetting(15_000, {
      description: 'How long a request may take to arrive; then its connection is closed',
      unit: 'ms',
      min: 100,
      max: 600_000,
    }),
    maxSendMs: wholeSetting(10_000, {
      description: 'How long a client may take no byte of its answer',
      unit: 'ms',
      min: 100,
      max: 600_000,
    }),
    maxIdleMs: wholeSetting(72_000, {
      description: 'How long a connection stays open without a request; longer than that of a load balancer in front',
      unit: 'ms',
      min: 100,
      max: 3_600_000,
    }),
    maxConnections: wholeSetting(4_096, {
      description: 'Most connections; beyond, the one that has waited for its client for the longest is closed',
      unit: 'connections',
      min: 1,
      max: 1_000_000,
    }),
    maxConnectionsPerAddress: wholeSetting(1_024, {
      description: 'Most connections from one address, likewise; a load balancer in front is one address',
      unit: 'connections',
      min: 1,
      max: 1_000_000,
    }),
  } as const
}

/** What `serviceSettings` parse to. */
export type ServiceConfig = z.output<z.ZodObject<ReturnType<typeof serviceSettings>>>

/** What `grpcSettings` parse to. */
export type GrpcConfig = z.output<z.ZodObject<ReturnType<typeof grpcSettings>>>

/** What `httpSettings` parse to. */
export type HttpConfig = z.output<z.ZodObject<ReturnType<typeof httpSettings>>>

/** What a server's connections are bounded by. */
export type HttpLimits = Omit<HttpConfig, 'host' | 'port'>
