import { fileURLToPath } from 'node:url'

/** The folder of proto files, for reflection. */
export const protoFolder = fileURLToPath(new URL('../../../proto', import.meta.url))
