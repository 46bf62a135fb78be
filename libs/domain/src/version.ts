/** The version of Freshet: that of the root's `package.json`. */
export const version = '0.1.0'
