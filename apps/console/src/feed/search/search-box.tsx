import { useEffect, useRef, useState } from 'react'
import { useLocation, useSearchParams } from 'wouter'
import { useConfig } from '../../api/config-context.tsx'
import { Icon } from '../../ui/icon.tsx'
import './search-box.css'

/** Searches by words. The key / goes there from everywhere. */
export function SearchBox() {
  const config = useConfig().value
  const [parameters] = useSearchParams()
  const [path, navigate] = useLocation()
  const asked = path === '/search' ? (parameters.get('q') ?? '') : ''
  const [words, setWords] = useState(asked)
  const ref = useRef<HTMLInputElement>(null)
  useEffect(() => {
    setWords(asked)
  }, [asked])
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const isTyping = (event.target as HTMLElement).closest('input, textarea, select, dialog') !== null
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey) return
      event.preventDefault()
      ref.current?.focus()
    }
    document.addEventListener('keydown', press)
    return () => {
      document.removeEventListener('keydown', press)
    }
  }, [])
  if (config && !config.capabilities.words) return <div className="search-box is-absent" />
  return (
    <form
      className="search-box"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        const trimmed = words.trim()
        navigate(trimmed === '' ? '/' : `/search?${new URLSearchParams({ q: trimmed })}`)
      }}
    >
      <Icon name="search" />
      <input
        ref={ref}
        type="search"
        aria-label="Search pins"
        placeholder="Search"
        value={words}
        onChange={(event) => {
          setWords(event.target.value)
          if (event.target.value === '' && asked !== '') navigate('/')
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  )
}
