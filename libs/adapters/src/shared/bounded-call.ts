import { ContractError, isContractError } from '@freshet/contracts/errors'
import { checkHeaders, noHeaders } from '@freshet/contracts/headers'
import type { CallOptions } from '@freshet/contracts/ports/calls'
import { afterMs } from '../system/timer.ts'

/**
 * Calls with a deadline that holds whatever is called: at `timeoutMs` or when the caller ends the call it rejects
 * (CALL_DEADLINE_EXCEEDED, CALL_CANCELLED) and what was called sees its signal aborted. What is thrown and is not an error
 * of the catalogue becomes CALL_INTERNAL with it as the cause.
 */
export function boundedCall<Answer>(
  { timeoutMs, signal, headers = noHeaders }: CallOptions,
  ask: (options: Required<CallOptions>) => Promise<Answer>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // An exception here rejects the call.
    checkHeaders(headers)
    if (signal?.aborted) {
      reject(cancelled(signal))
      return
    }
    if (!(timeoutMs > 0)) {
      reject(new ContractError('CALL_DEADLINE_EXCEEDED', 'no time was left to begin the call'))
      return
    }
    const controller = new AbortController()
    const end = (error: Error) => {
      finish()
      reject(error)
      controller.abort(error)
    }
    const onAbort = () => {
      end(cancelled(signal))
    }
    const takeBack = Number.isFinite(timeoutMs)
      ? afterMs(timeoutMs, () => {
          end(new ContractError('CALL_DEADLINE_EXCEEDED', `no answer within ${Math.round(timeoutMs)} ms`))
        })
      : null
    const finish = () => {
      takeBack?.()
      signal?.removeEventListener('abort', onAbort)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    invoke(ask, { timeoutMs, signal: controller.signal, headers }).then(
      (answer) => {
        finish()
        resolve(answer)
      },
      (error: unknown) => {
        finish()
        reject(isContractError(error) ? error : new ContractError('CALL_INTERNAL', 'a defect', { cause: error }))
      },
    )
  })
}

async function invoke<Answer>(
  ask: (options: Required<CallOptions>) => Promise<Answer>,
  options: Required<CallOptions>,
): Promise<Answer> {
  return ask(options)
}

function cancelled(signal: AbortSignal | undefined): ContractError {
  return new ContractError('CALL_CANCELLED', 'the caller ended the call', { cause: signal?.reason })
}
