import { pseudonymsOf, pseudonymsSchema } from '@freshet/adapters/system/pseudonyms'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import { ingestSettings, type IngestConfig } from '@freshet/event-ingest/config'
import { readMappingFile } from '@freshet/event-ingest/connectors/mapping-file'
import { createLetterReader } from '@freshet/event-ingest/connectors/replay-letter'
import { readSuppression } from '@freshet/event-ingest/suppression'
import type { ForeignLetter, ReadForeignLetter } from '@freshet/feature-updater/replay-dead-letters'
import { loadConfig } from '@freshet/service/config'
import { ConfigError } from '@freshet/service/errors'
import { z } from 'zod'

/** The settings of event-ingest by which dead letters of other systems are read again. */
export interface ForeignSettings {
  readonly ingest: IngestConfig
  readonly pseudonyms: z.output<typeof pseudonymsSchema>
}

/** Options of `freshet dlq replay` about events of other systems. */
export interface ForeignArguments {
  readonly mapping?: string
  readonly pseudonymsSecret?: string
}

/** The settings in the environment, as event-ingest reads them; options win. Throws a ConfigError. */
export function readForeignSettings(
  { mapping, pseudonymsSecret }: ForeignArguments,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ForeignSettings {
  const own = Object.entries(env).filter(([name]) => /^FRESHET_(INGEST|PSEUDONYMS)(_|$)/.test(name))
  const overrides = {
    ...(mapping !== undefined && { 'ingest.connectors.file': mapping }),
    ...(pseudonymsSecret !== undefined && { 'pseudonyms.secretFile': pseudonymsSecret }),
  }
  try {
    return loadConfig(settingsSchema, { env: Object.fromEntries(own), overrides })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(
      error.problems.map((problem) => problem.replaceAll('--pseudonyms.secretFile', '--pseudonyms-secret')),
    )
  }
}

const settingsSchema = z.object({ ingest: z.object(ingestSettings), pseudonyms: pseudonymsSchema })

/** Reads dead letters of other systems by the mapping of these settings. Mapping and erasures are read when the first letter comes. */
export function foreignLetters({
  log,
  clock,
  settings,
  onError,
  signal,
}: {
  readonly log: Pick<EventLog, 'starts' | 'ends' | 'readAll'>
  readonly clock: Pick<Clock, 'now'>
  readonly settings: ForeignSettings
  readonly onError: (error: Error) => void
  readonly signal: AbortSignal
}): ReadForeignLetter {
  const { ingest: config, pseudonyms } = settings
  const mapping = readMappingFile(config.connectors.file)
  let reading: Promise<(letter: Parameters<ReadForeignLetter>[0]) => Promise<ForeignLetter>> | null = null
  const open = async () => {
    const suppression = await readSuppression(log, onError, signal)
    return createLetterReader({
      ...{ mapping, suppression, config, pseudonymOf: pseudonymsOf(pseudonyms) },
      now: () => clock.now(),
    })
  }
  return async (letter) => (await (reading ??= open()))(letter)
}
