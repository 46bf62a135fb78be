import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectProfiler, formatParts, timeByPart, type CpuProfile } from './cpu-profile.ts'
import type { Deployment } from './deployments.ts'
import { askInTurn } from './feed-load.ts'
import type { FeedWorld } from './feed-worlds.ts'

/**
 * Profiles all processes of a deployment while feeds are asked for, and returns a table of where their CPU time goes. With a
 * folder, it also writes the profile of each process there (`NAME.cpuprofile`; browsers' developer tools open it).
 */
export async function cpuTable(
  deployment: Deployment,
  world: FeedWorld,
  ms: number,
  folder: string | null = null,
): Promise<string> {
  const profilers = new Map<string, Awaited<ReturnType<typeof connectProfiler>>>()
  for (const [name, address] of await deployment.inspectors()) profilers.set(name, await connectProfiler(address))
  for (const profiler of profilers.values()) await profiler.start()
  const server = { address: deployment.feedAddress, cpuMs: deployment.cpuMs }
  const { latencies } = await askInTurn(server, world.userIds, { concurrency: 1, ms })
  const profiles = new Map<string, CpuProfile>()
  for (const [name, profiler] of profilers) {
    profiles.set(name, await profiler.stop())
    profiler.close()
  }
  if (folder !== null) {
    mkdirSync(folder, { recursive: true })
    for (const [name, profile] of profiles)
      writeFileSync(join(folder, `${name.replaceAll(' ', '-')}.cpuprofile`), JSON.stringify(profile))
  }
  return formatParts(new Map([...profiles].map(([name, profile]) => [name, timeByPart(profile)])), latencies.length)
}
