import { accessSettings } from '@freshet/access/settings'
import { flagSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'
import { defaultJsonDepth } from './json-body.ts'
import { tlsSchema } from './tls-settings.ts'
import { tracingSchema } from './tracing/tracing-settings.ts'

/** The levels of log lines, from the one that writes most. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

/** A TCP port setting; 0 lets the system choose. */
function portSetting(port: number, description: string) {
  return z
    .int()
    .min(0)
    .max(65_535)
    .default(port)
    .meta({ description: `${description}; 0: any free port` })
}

const hostSetting = (description: string) => z.string().min(1).default('127.0.0.1').meta({ description })

/**
 * Settings that every process has. Spread them into an app's settings: `z.object({ ...serviceSettings(9464), … })`. Each
 * app has its own operations port, so that all can run on one machine.
 */
export function serviceSettings(operationsPort: number) {
  return {
    log: z.object({
      level: z
        .enum(logLevels)
        .default('info')
        .meta({ description: 'Minimum level of the log lines that the process writes' }),
    }),
    operations: z.object({
      host: hostSetting('Address of the server for health, metrics and configuration; `0.0.0.0` in containers'),
      port: portSetting(operationsPort, 'Port of the server for health, metrics and configuration'),
    }),
    tracing: tracingSchema.prefault({}),
    tls: tlsSchema.prefault({}),
    access: z.object(accessSettings),
    stop: z.object({
      timeoutMs: wholeSetting(20_000, {
        description: 'Maximum time for finishing, flushing and closing. Then the process ends anyway',
        unit: 'ms',
        min: 100,
        max: 600_000,
      }),
    }),
  } as const
}

const addressSetting = wholeSetting(1_024, {
  description: 'Maximum number of connections from one address. A load balancer in front counts as one address',
  unit: 'connections',
  min: 1,
  max: 1_000_000,
})

/** Settings of a gRPC server, for `z.object({ grpc: z.object(grpcSettings(7070)) })`. */
export function grpcSettings(port: number) {
  return {
    host: hostSetting('Address of the gRPC server; `0.0.0.0` in containers'),
    port: portSetting(port, 'Port of the gRPC server'),
    maxConnectionAgeMs: wholeSetting(90_000, {
      description: 'The server closes connections after this time, so that clients find new replicas',
      unit: 'ms',
      min: 1_000,
      max: 3_600_000,
    }),
    maxConnectionGraceMs: wholeSetting(10_000, {
      description: 'Time for the calls on such a connection to finish',
      unit: 'ms',
      min: 100,
      max: 600_000,
    }),
    maxMessageBytes: wholeSetting(4 << 20, {
      description: 'Maximum size of a message',
      unit: 'bytes',
      min: 1_024,
      max: 64 << 20,
    }),
    maxMetadataBytes: wholeSetting(8_192, {
      description: 'Maximum size of the metadata of a call: names, values, and 32 bytes for each entry',
      unit: 'bytes',
      min: 1_024,
      max: 64 << 10,
    }),
    maxCallsPerConnection: wholeSetting(1_024, {
      description: 'Maximum number of calls under way on one connection; clients hold further calls back',
      unit: 'calls',
      min: 1,
      max: 1_000_000,
    }),
    maxConnections: wholeSetting(4_096, {
      description: 'Maximum number of connections. The server closes new ones beyond it',
      unit: 'connections',
      min: 1,
      max: 1_000_000,
    }),
    maxConnectionsPerAddress: addressSetting,
    flowControlWindowBytes: wholeSetting(1 << 20, {
      description: 'HTTP/2 flow control window. A window smaller than a message costs a round trip for each message',
      unit: 'bytes',
      min: 65_535,
      max: 16 << 20,
    }),
    reflection: flagSetting(true, 'Whether the server answers requests for its message definitions (gRPC reflection)'),
  } as const
}

/** Settings of an HTTP server, for `z.object({ http: z.object(httpSettings(8080)) })`. */
export function httpSettings(port: number) {
  return {
    host: hostSetting('Address of the HTTP server; `0.0.0.0` in containers'),
    port: portSetting(port, 'Port of the HTTP server'),
    maxHeaderBytes: wholeSetting(16_384, {
      description: 'Maximum size of the request line and the headers of a request, together',
      unit: 'bytes',
      min: 1_024,
      max: 1 << 20,
    }),
    maxJsonDepth: wholeSetting(defaultJsonDepth, {
      description: 'JSON may nest arrays and objects at most this deep',
      unit: 'levels',
      min: 16,
      max: 1_000_000,
    }),
    maxReceiveMs: wholeSetting(15_000, {
      description: 'Maximum time for a request to arrive. Then the server closes the connection',
      unit: 'ms',
      min: 100,
      max: 600_000,
    }),
    maxSendMs: wholeSetting(10_000, {
      description:
        'Maximum time during which a client reads nothing of its answer. Then the server closes the connection',
      unit: 'ms',
      min: 100,
      max: 600_000,
    }),
    maxIdleMs: wholeSetting(72_000, {
      description:
        'The server closes a connection that is idle for this long. Must exceed the idle timeout of a load balancer in front',
      unit: 'ms',
      min: 100,
      max: 3_600_000,
    }),
    maxConnections: wholeSetting(4_096, {
      description:
        'Maximum number of connections. Beyond it the server closes the connection that has waited longest for its client',
      unit: 'connections',
      min: 1,
      max: 1_000_000,
    }),
    maxConnectionsPerAddress: addressSetting,
  } as const
}

/** The type that `serviceSettings` parse to. */
export type ServiceConfig = z.output<z.ZodObject<ReturnType<typeof serviceSettings>>>

/** The type that `grpcSettings` parse to. */
export type GrpcConfig = z.output<z.ZodObject<ReturnType<typeof grpcSettings>>>

/** The type that `httpSettings` parse to. */
export type HttpConfig = z.output<z.ZodObject<ReturnType<typeof httpSettings>>>

/** The limits of a server's connections. */
export type HttpLimits = Omit<HttpConfig, 'host' | 'port'>
