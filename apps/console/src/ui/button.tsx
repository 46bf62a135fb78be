import type { ButtonHTMLAttributes, ReactNode } from 'react'
import './button.css'

/** Properties of a button: those of the element, and its look. */
export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** `solid`: the one that most people want; `plain` by default; `quiet`: without a border; `danger`: cannot be undone. */
  readonly look?: 'solid' | 'plain' | 'quiet' | 'danger'
  readonly size?: 'm' | 's'
  readonly icon?: ReactNode
}

/** A button with words. */
export function Button({ look = 'plain', size = 'm', icon, children, className = '', ...rest }: ButtonProps) {
  return (
    <button type="button" {...rest} className={`button button-${look} button-${size} ${className}`}>
      {icon}
      {children}
    </button>
  )
}

/** A round button with an icon. `label` names it for all. */
export function IconButton({
  label,
  children,
  className = '',
  ...rest
}: Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'aria-label'> & { readonly label: string }) {
  return (
    <button type="button" title={label} {...rest} aria-label={label} className={`icon-button ${className}`}>
      {children}
    </button>
  )
}
