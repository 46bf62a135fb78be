import { asId, nameProblem, type Branded } from '@freshet/domain/ids'
import { ContractError } from '../errors.ts'

/** Reads the fields of a message of the catalogue. All throw CODEC_INVALID, naming the message and the field. */
export interface CatalogueFields {
  invalid(field: string, problem: string): ContractError
  /** The value, if there is no problem with it. */
  checked(field: string, value: string, problem: string | null): string
  named<Id extends Branded<string>>(field: string, value: string): Id
  versionOf(version: number | undefined): { readonly version?: number }
}

/** The fields of a message, by its full name. */
export function catalogueFields(message: string): CatalogueFields {
  const invalid = (field: string, problem: string): ContractError =>
    new ContractError('CODEC_INVALID', `${message}.${field} ${problem}`)
  const checked = (field: string, value: string, problem: string | null): string => {
    if (problem !== null) throw invalid(field, problem)
    return value
  }
  return {
    invalid,
    checked,
    named: <Id extends Branded<string>>(field: string, value: string) =>
      asId<Id>(checked(field, value, nameProblem(value))),
    versionOf(version) {
      if (version === undefined) return {}
      if (!isVersion(version)) throw invalid('version', `is ${version}, not 1 to 2^53 - 1`)
      return { version }
    },
  }
}

/** Whether a number is a version of a catalogue entry. */
export function isVersion(version: number): boolean {
  return Number.isSafeInteger(version) && version >= 1
}
