import { spawn } from 'node:child_process'
import process from 'node:process'

const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [command: string, ...more: string[]]>>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
  linux: ['xdg-open'],
}

/** Opens a page in the browser of whoever started the process, if there is one: in a terminal, on a screen, and not in a CI job. */
export function openBrowser(url: string, { env, platform, stdout } = process): void {
  const opener = openers[platform]
  const hasScreen = platform !== 'linux' || env['DISPLAY'] !== undefined || env['WAYLAND_DISPLAY'] !== undefined
  if (opener === undefined || !hasScreen || !stdout.isTTY || (env['CI'] ?? '') !== '') return
  const [command, ...more] = opener
  const child = spawn(command, [...more, url], { stdio: 'ignore', detached: true })
  // The address is printed anyway.
  child.once('error', () => undefined)
  child.unref()
}
