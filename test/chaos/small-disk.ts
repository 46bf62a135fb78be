import { randomUUID } from 'node:crypto'
import { GenericContainer, getContainerRuntimeClient } from 'testcontainers'

/** A file system of limited size as a Docker volume, which can be filled up by something else. */
export interface SmallDisk {
  readonly volume: string
  /** Takes all that is free; answers how many bytes that were. */
  fill(): Promise<number>
  /** Gives it back. */
  free(): Promise<void>
  remove(): Promise<void>
}

/** A disk in memory. A container of its own keeps it mounted, so that it outlives the container that is being tested. */
export async function createSmallDisk(megabytes: number): Promise<SmallDisk> {
  const volume = `freshet-small-disk-${randomUUID().slice(0, 8)}`
  const { dockerode } = (await getContainerRuntimeClient()).container
  await dockerode.createVolume({
    Name: volume,
    Driver: 'local',
    DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: `size=${megabytes}m,mode=1777` },
  })
  const keeper = await new GenericContainer(process.env['REDIS_IMAGE'] ?? 'redis:7.0-bookworm')
    .withEntrypoint(['sleep', '86400'])
    .withBindMounts([{ source: volume, target: '/disk' }])
    .start()
  return {
    volume,
    async fill() {
      await keeper.exec(['sh', '-c', 'dd if=/dev/zero of=/disk/filler bs=64k; true'])
      return Number((await keeper.exec(['stat', '-c', '%s', '/disk/filler'])).output)
    },
    async free() {
      await keeper.exec(['rm', '-f', '/disk/filler'])
    },
    async remove() {
      await keeper.stop({ timeout: 0 })
      await dockerode.getVolume(volume).remove()
    },
  }
}
