import { statfs } from 'node:fs/promises'
import type { Metrics } from './metrics.ts'

/** Sets the gauges of the disks of folders before every scrape. `folders`: path by the setting that names it; null: not set. */
export function observeDisks(folders: Readonly<Record<string, string | null>>, metrics: Metrics): void {
  const free = metrics.gauge('freshet_disk_free_bytes')
  const size = metrics.gauge('freshet_disk_size_bytes')
  for (const [folder, path] of Object.entries(folders)) {
    if (path === null) continue
    metrics.beforeScrape(
      async () => {
        const { bavail, blocks, bsize } = await statfs(path)
        free.set({ folder }, bavail * bsize)
        size.set({ folder }, blocks * bsize)
      },
      () => {
        free.set({ folder }, NaN)
        size.set({ folder }, NaN)
      },
    )
  }
}
