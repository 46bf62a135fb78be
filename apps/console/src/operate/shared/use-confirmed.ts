import { useState } from 'react'
import { asFailure } from '../../api/http.ts'
import { useToast } from '../../ui/toast.tsx'

/** A change that a person confirms in a dialog. */
export interface Confirmed {
  readonly isAsking: boolean
  readonly isBusy: boolean
  readonly ask: () => void
  readonly cancel: () => void
  /** Makes the change, says so, and closes the dialog. A failure is shown and leaves it open. */
  readonly confirm: () => void
}

/** State of a change that needs a confirmation. `done`: the message afterwards. */
export function useConfirmed(change: () => Promise<unknown>, done: string, onDone: () => void): Confirmed {
  const [isAsking, setIsAsking] = useState(false)
  const [isBusy, setIsBusy] = useState(false)
  const show = useToast()
  const run = async (): Promise<void> => {
    setIsBusy(true)
    try {
      await change()
      show({ message: done })
      setIsAsking(false)
      onDone()
    } catch (thrown) {
      show({ message: asFailure(thrown).message, tone: 'bad' })
    } finally {
      setIsBusy(false)
    }
  }
  return {
    isAsking,
    isBusy,
    ask: () => {
      setIsAsking(true)
    },
    cancel: () => {
      setIsAsking(false)
    },
    confirm: () => void run(),
  }
}
