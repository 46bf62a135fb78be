import { lutimesSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Gives a folder and all that is inside the time of the environment variable SOURCE_DATE_EPOCH, seconds since 1970; default: 1970. */
export function setTimes(folder: string): void {
  const seconds = Number(process.env['SOURCE_DATE_EPOCH'] ?? 0)
  const visit = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const inner = join(path, entry.name)
      if (entry.isDirectory()) visit(inner)
      else lutimesSync(inner, seconds, seconds)
    }
    lutimesSync(path, seconds, seconds)
  }
  visit(folder)
}
