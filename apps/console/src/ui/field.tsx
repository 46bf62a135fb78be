import { useId, type InputHTMLAttributes, type SelectHTMLAttributes } from 'react'
import './field.css'

/** A labelled input. */
export function TextField({ label, ...rest }: InputHTMLAttributes<HTMLInputElement> & { readonly label: string }) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} {...rest} />
    </div>
  )
}

/** A labelled choice of one. */
export function SelectField({ label, ...rest }: SelectHTMLAttributes<HTMLSelectElement> & { readonly label: string }) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} {...rest} />
    </div>
  )
}
