import { ContractError } from '@freshet/contracts/errors'

const maxNameLength = 512
/** One part of an artefact's name, between slashes. */
export const artefactNamePart = /^[a-z0-9_-][a-z0-9._-]{0,199}$/

/** The parts of an artefact's name. Throws ARTEFACT_NAME if it is not a valid name. */
export function partsOfName(name: string): readonly string[] {
  const parts = name.split('/')
  if (name.length > maxNameLength || !parts.every((part) => artefactNamePart.test(part))) {
    const shown = JSON.stringify(name.slice(0, 80))
    throw new ContractError(
      'ARTEFACT_NAME',
      `${shown}: names are a-z0-9._- with / between parts that begin with no dot`,
    )
  }
  return parts
}
