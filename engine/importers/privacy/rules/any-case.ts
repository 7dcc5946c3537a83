/**
 * A pattern whose groups `(?i:...)` are written out letter by letter ("(?i:dr)" becomes "(?:[dD][rR])"): part of a pattern in any capitals, the
 * names behind it not. The engine's own form of this is not used: compiled by V8 14 (Node 24) such a pattern stops matching after some hundred
 * texts what it matched before, which would let names through.
 */
export function anyCase(source: string): string {
  let result = ''
  let depth = 0
  /** Depths at which an open group began that is read in any capitals. */
  const open: number[] = []
  let isClass = false
  for (let i = 0; i < source.length; i++) {
    const char = source[i]!
    if (char === '\\') {
      const escape = /^\\(?:[pP]\{[^}]*\}|k<[^>]*>|.)/u.exec(source.slice(i, i + 40))![0]
      result += escape
      i += escape.length - 1
    } else if (!isClass && source.startsWith('(?i:', i)) {
      depth++
      open.push(depth)
      result += '(?:'
      i += 3
    } else if (!isClass && char === '(') {
      depth++
      const head = /^\(\?(?:[:=!]|<[=!]|<\w+>)/.exec(source.slice(i, i + 30))?.[0] ?? '('
      result += head
      i += head.length - 1
    } else if (!isClass && char === ')') {
      if (open.at(-1) === depth) open.pop()
      depth--
      result += char
    } else {
      if (char === '[') isClass = true
      else if (char === ']') isClass = false
      const both = open.length > 0 && char.toLowerCase() !== char.toUpperCase() ? char.toLowerCase() + char.toUpperCase() : null
      result += both === null || both.length > 2 ? char : isClass ? both : `[${both}]`
    }
  }
  return result
}
