import type { FeedItem } from '@freshet/client/browser'
import { useCallback, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { Icon } from '../../ui/icon.tsx'
import { boardIdOf, withBoard, type Board } from '../person/memory.ts'
import { usePerson } from '../person/person-context.tsx'
import { useActions } from '../use-actions.tsx'
import './save-button.css'

const firstBoardName = 'Favourites'

/** The board that a save goes to if nobody chooses one: that of the last save. */
function useBoard(): Board {
  const { memory, userId } = usePerson()
  return (
    memory.boards.find(({ boardId }) => boardId === memory.lastBoardId) ??
    memory.boards[0] ?? { boardId: boardIdOf(userId, firstBoardName), name: firstBoardName }
  )
}

/** Saves a pin to the board of the last save, or takes it off its board. */
export function useQuickSave(pin: FeedItem): () => void {
  const { memory, remember } = usePerson()
  const actions = useActions()
  const board = useBoard()
  const isSaved = memory.saves.some(({ pinId }) => pinId === pin.pinId)
  return useCallback(() => {
    if (isSaved) {
      actions.unsave(pin)
      return
    }
    remember((last) => withBoard(last, board))
    actions.save(pin, board)
  }, [isSaved, actions, pin, remember, board])
}

/** Saves at a click; the name beside it chooses the board. */
export function SaveButton({ pin, tabIndex = 0 }: { readonly pin: FeedItem; readonly tabIndex?: number }) {
  const { memory } = usePerson()
  const board = useBoard()
  const quickSave = useQuickSave(pin)
  const [isChoosing, setIsChoosing] = useState(false)
  const isSaved = memory.saves.some(({ pinId }) => pinId === pin.pinId)
  return (
    <>
      {!isSaved && (
        <button
          type="button"
          className="board-name"
          tabIndex={tabIndex}
          aria-label={`Choose a board, now ${board.name}`}
          onClick={() => {
            setIsChoosing(true)
          }}
        >
          {board.name} <span aria-hidden="true">▾</span>
        </button>
      )}
      <Button
        look={isSaved ? 'plain' : 'solid'}
        tabIndex={tabIndex}
        className={`save ${isSaved ? 'is-saved' : ''}`}
        aria-pressed={isSaved}
        onClick={quickSave}
      >
        {isSaved ? 'Saved' : 'Save'}
      </Button>
      {isChoosing && (
        <BoardDialog
          pin={pin}
          onClose={() => {
            setIsChoosing(false)
          }}
        />
      )}
    </>
  )
}

function BoardDialog({ pin, onClose }: { readonly pin: FeedItem; readonly onClose: () => void }) {
  const { memory, userId, remember } = usePerson()
  const actions = useActions()
  const [name, setName] = useState('')
  const first = useBoard()
  const boards = memory.boards.length > 0 ? memory.boards : [first]
  const choose = (board: Board): void => {
    remember((last) => withBoard(last, board))
    actions.save(pin, board)
    onClose()
  }
  return (
    <Dialog title="Save to a board" width="s" onClose={onClose}>
      <ul className="boards" aria-label="Boards">
        {boards.map((board) => (
          <li key={board.boardId}>
            <Button
              look="quiet"
              icon={<Icon name="board" />}
              onClick={() => {
                choose(board)
              }}
            >
              {board.name}
              <span className="boards-count number">
                {memory.saves.filter(({ boardId }) => boardId === board.boardId).length}
              </span>
            </Button>
          </li>
        ))}
      </ul>
      <form
        className="new-board"
        onSubmit={(event) => {
          event.preventDefault()
          const trimmed = name.trim()
          if (trimmed !== '') choose({ boardId: boardIdOf(userId, trimmed), name: trimmed })
        }}
      >
        <TextField
          label="New board"
          value={name}
          maxLength={60}
          placeholder="For example: Kitchen"
          onChange={(event) => {
            setName(event.target.value)
          }}
        />
        <Button type="submit" look="solid" disabled={name.trim() === ''}>
          Create and save
        </Button>
      </form>
    </Dialog>
  )
}
