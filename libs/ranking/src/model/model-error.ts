/** A model that was built but cannot serve; the one before it serves on. Codes: `rankingErrorCatalogue`. */
export class ModelError extends Error {
  readonly code: 'MODEL_MISMATCHED' | 'MODEL_BROKEN'
  constructor(code: ModelError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ModelError'
    this.code = code
  }
}
