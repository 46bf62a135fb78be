import { flagSetting } from '@freshet/settings/setting'
import { httpSettings } from '@freshet/service/settings'
import { z } from 'zod'

const list = (description: string) => z.array(z.string().min(1)).default([]).meta({ description })

/** Settings of the console's server. Spread them into a group: `console: z.object(consoleSettings(8090))`. */
export function consoleSettings(port: number) {
  return {
    ...httpSettings(port),
    open: flagSetting(true, 'Whether the command opens the page in a browser, if it runs in a terminal'),
    hosts: list(
      'Names by which browsers reach the console besides those of this machine. Requests for other names are refused',
    ),
    imageOrigins: list(
      'Web origins from which the page may load the pictures of pins. Empty: only from the console itself',
    ),
    maxBodyBytes: z
      .int()
      .min(1_024)
      .max(1 << 30)
      .default(64 << 20)
      .meta({
        description: 'Maximum size of a request that the console passes on. The services have limits of their own',
        unit: 'bytes',
      }),
    timeoutMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(35_000)
      .meta({ description: 'A service may be silent for this long before the console gives up on it', unit: 'ms' }),
  } as const
}

/** Settings of the console in `freshet dev`. */
export const devConsoleSettings = {
  enabled: flagSetting(true, 'Whether the process serves the console, a web page'),
  ...consoleSettings(8090),
} as const

/** What `consoleSettings` parse to. */
export type ConsoleConfig = z.output<z.ZodObject<ReturnType<typeof consoleSettings>>>
