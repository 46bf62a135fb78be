import { useId, useRef, useState } from 'react'
import { useConfig } from '../../api/config-context.tsx'
import { Button } from '../../ui/button.tsx'
import { SelectField, TextField } from '../../ui/field.tsx'
import { Icon } from '../../ui/icon.tsx'
import { readable } from '../cards.ts'
import { usePerson } from './person-context.tsx'
import './person-menu.css'

/** Who looks: switches between users, and the language of titles. */
export function PersonMenu() {
  const person = usePerson()
  const config = useConfig().value
  const menu = useRef<HTMLDivElement>(null)
  const id = useId()
  const close = (): void => {
    menu.current?.hidePopover()
  }
  return (
    <>
      <button type="button" className="person" popoverTarget={id}>
        <Face name={person.name} />
        <span className="hidden-words">You are </span>
        <span className="person-name">{person.name}</span>
        <span className="hidden-words">, switch user</span>
        <span aria-hidden="true">▾</span>
      </button>
      <div ref={menu} id={id} popover="auto" className="person-menu" role="dialog" aria-label="Who looks">
        <h2>Who looks</h2>
        {config !== null && (
          <p className="person-note">
            {config.demo
              ? 'These users are simulated, and so is their past.'
              : 'What you see and do here is recorded as done by this user.'}
          </p>
        )}
        <ul>
          {(config?.users ?? []).map(({ userId, name, likes }) => (
            <li key={userId}>
              <button
                type="button"
                className="person-choice"
                aria-pressed={userId === person.userId}
                onClick={() => {
                  person.switchTo(userId)
                  close()
                }}
              >
                <Face name={name} />
                <span>
                  <b>{name}</b>
                  <small>likes {likes.slice(0, 3).map(readable).join(', ')}</small>
                </span>
              </button>
            </li>
          ))}
          <li>
            <button
              type="button"
              className="person-choice"
              aria-pressed={person.userId.startsWith('new-')}
              onClick={() => {
                person.becomeNew()
                close()
              }}
            >
              <span className="face face-new" aria-hidden="true">
                <Icon name="plus" />
              </span>
              <span>
                <b>Someone new</b>
                <small>nothing is known yet</small>
              </span>
            </button>
          </li>
        </ul>
        <OtherUser onDone={close} />
        {(config?.locales.length ?? 0) > 0 && (
          <SelectField
            label="Language of titles"
            value={person.locale}
            onChange={(event) => {
              person.speak(event.target.value)
            }}
          >
            {config!.locales.map((locale) => (
              <option key={locale} value={locale}>
                {languageName(locale)}
              </option>
            ))}
          </SelectField>
        )}
      </div>
    </>
  )
}

function OtherUser({ onDone }: { readonly onDone: () => void }) {
  const { switchTo } = usePerson()
  const [userId, setUserId] = useState('')
  return (
    <form
      className="person-other"
      onSubmit={(event) => {
        event.preventDefault()
        const trimmed = userId.trim()
        if (trimmed === '') return
        switchTo(trimmed)
        setUserId('')
        onDone()
      }}
    >
      <TextField
        label="Another user, by id"
        value={userId}
        maxLength={128}
        pattern="\S+"
        onChange={(event) => {
          setUserId(event.target.value)
        }}
      />
      <Button type="submit">Switch</Button>
    </form>
  )
}

function Face({ name }: { readonly name: string }) {
  let hue = 0
  for (const letter of name) hue = (hue * 31 + letter.codePointAt(0)!) % 360
  return (
    <span className="face" aria-hidden="true" style={{ '--hue': hue } as object}>
      {name.charAt(0).toUpperCase()}
    </span>
  )
}

function languageName(locale: string): string {
  try {
    const name = new Intl.DisplayNames([locale], { type: 'language' }).of(locale) ?? locale
    return name.charAt(0).toUpperCase() + name.slice(1)
  } catch {
    return locale
  }
}
