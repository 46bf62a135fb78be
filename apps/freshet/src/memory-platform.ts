import { createSeededRandom } from '@freshet/adapters/memory/random'
import { createSystemEngineClock } from '@freshet/adapters/system/engine-clock'
import type { Platform } from './embedded.ts'

/** A platform for services that keep nothing, with the same chance every time. Stages of feeds are measured in real time. */
export function memoryPlatform(given: Pick<Platform, 'log' | 'store' | 'clock'>): Platform {
  return { ...given, artefacts: null, random: createSeededRandom(1), engineClock: createSystemEngineClock() }
}
